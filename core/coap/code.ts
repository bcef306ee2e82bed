/** CoAP codes as the wire's byte: class in the upper three bits (RFC 7252 §5.2, §12.1; RFC 8323 §5). */

export const METHOD = {
  get: 0x01,
  post: 0x02,
  put: 0x03,
  delete: 0x04,
  fetch: 0x05,
  patch: 0x06,
  ipatch: 0x07,
} as const;

export const RESPONSE = {
  created: 0x41,
  deleted: 0x42,
  valid: 0x43,
  changed: 0x44,
  content: 0x45,
  continue: 0x5f,
  badRequest: 0x80,
  unauthorized: 0x81,
  badOption: 0x82,
  forbidden: 0x83,
  notFound: 0x84,
  methodNotAllowed: 0x85,
  notAcceptable: 0x86,
  requestEntityIncomplete: 0x88,
  conflict: 0x89,
  preconditionFailed: 0x8c,
  requestEntityTooLarge: 0x8d,
  unsupportedContentFormat: 0x8f,
  unprocessableEntity: 0x96,
  tooManyRequests: 0x9d,
  internalServerError: 0xa0,
  notImplemented: 0xa1,
  badGateway: 0xa2,
  serviceUnavailable: 0xa3,
  gatewayTimeout: 0xa4,
  proxyingNotSupported: 0xa5,
  hopLimitReached: 0xa8,
} as const;

/** `4.04` for 0x84. */
export const formatCode = (code: number): string => `${code >> 5}.${(code & 31).toString().padStart(2, '0')}`;
