/** CoAP option numbers (RFC 7252 §12.2, RFC 7641, RFC 7959, RFC 8768, RFC 9175, RFC 9177). */
export const OPTION = {
  ifMatch: 1,
  uriHost: 3,
  etag: 4,
  ifNoneMatch: 5,
  observe: 6,
  uriPort: 7,
  locationPath: 8,
  uriPath: 11,
  contentFormat: 12,
  maxAge: 14,
  uriQuery: 15,
  hopLimit: 16,
  accept: 17,
  qBlock1: 19,
  locationQuery: 20,
  block2: 23,
  block1: 27,
  size2: 28,
  qBlock2: 31,
  proxyUri: 35,
  proxyScheme: 39,
  size1: 60,
  echo: 252,
  noResponse: 258,
  requestTag: 292,
} as const;

/** RFC 7252 §5.4.6: odd numbers are critical. */
export const isCritical = (number: number): boolean => (number & 1) === 1;

/** RFC 7252 §5.4.2: a proxy that does not know the option must not forward it. */
export const isUnsafe = (number: number): boolean => (number & 2) === 2;

/** RFC 7252 §5.4.2: not part of the cache key, though safe to forward. */
export const isNoCacheKey = (number: number): boolean => (number & 0x1e) === 0x1c;
