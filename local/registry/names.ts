/** Domain names as operators type them. */

/** Letters, digits, dashes and underscores between dots (RFC 1035 §2.3.1, RFC 2181 §11); others as IDNA writes them. */
const NAME =
  /^(?=.{1,253}\.?$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.?$/i;

/** Why nobody can own it. */
export const NO_NAME =
  'is no domain name: labels of letters, digits and dashes, others as xn--…, and no wildcard';

export const isDomainName = (text: string): boolean => NAME.test(text);
