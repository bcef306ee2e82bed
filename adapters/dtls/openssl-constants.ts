/** Values of OpenSSL's header files (ssl.h, bio.h, x509_vfy.h): its C macros, spelled out. */

export const SSL_CTRL = {
  extraChainCertificate: 14,
  setMtu: 17,
  mode: 33,
  setSessionCacheMode: 44,
  setMaxCertificateList: 51,
  setMaxSendFragment: 52,
  setServerName: 55,
  dtlsGetTimeout: 73,
  dtlsHandleTimeout: 74,
  setGroupsList: 92,
  setMinimumVersion: 123,
} as const;

export const SSL_OP = {
  noQueryMtu: 1n << 12n,
  cookieExchange: 1n << 13n,
  noCompression: 1n << 17n,
  serverPreference: 1n << 22n,
  noRenegotiation: 1n << 30n,
} as const;

export const SSL_MODE_RELEASE_BUFFERS = 0x10;
export const SSL_SESS_CACHE_OFF = 0;

export const SSL_VERIFY = { none: 0, peer: 1, failIfNoPeerCertificate: 2, clientOnce: 4 } as const;

export const SSL_ERROR = { wantRead: 2, wantWrite: 3, zeroReturn: 6 } as const;

export const BIO_CTRL_RESET = 1;
export const BIO_C_SET_BUF_MEM_EOF_RETURN = 130;

export const DTLS_1_2 = 0xfefd;

export const X509_V_OK = 0;
export const X509_V_ERR_HOSTNAME_MISMATCH = 62;
export const X509_CHECK_FLAG = { noWildcards: 0x2, neverCheckSubject: 0x20 } as const;

/** What a decrypted-ticket callback may answer (SSL_CTX_set_session_ticket_cb). */
export const TICKET = {
  status: { success: 5, successRenew: 6 },
  return: { ignore: 1, ignoreRenew: 2, use: 3, useRenew: 4 },
} as const;
