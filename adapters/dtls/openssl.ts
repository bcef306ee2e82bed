/**
 * The OpenSSL that the node binary carries and exports, called through koffi: no compiler, no second libssl.
 * The system's libssl cannot serve: its symbols bind to node's and crash.
 */
import koffi from 'koffi';

/** A native address; null where C would say NULL. */
export type Pointer = bigint | null;
type Bytes = Uint8Array;
/** In and out: the buffer C may write through, as `unsigned char **`. */
type BytesOut = [Uint8Array | null];

export interface Openssl {
  readonly OpenSSL_version: (what: number) => string;
  readonly OpenSSL_version_num: () => number;
  readonly DTLS_server_method: () => Pointer;
  readonly DTLS_client_method: () => Pointer;

  readonly SSL_CTX_new: (method: Pointer) => Pointer;
  readonly SSL_CTX_free: (context: Pointer) => void;
  readonly SSL_CTX_ctrl: (
    context: Pointer,
    command: number,
    number: number,
    pointer: Pointer | Bytes,
  ) => number;
  readonly SSL_CTX_set_options: (context: Pointer, options: bigint) => bigint | number;
  readonly SSL_CTX_set_cipher_list: (context: Pointer, list: string) => number;
  readonly SSL_CTX_set_timeout: (context: Pointer, seconds: number) => number;
  readonly SSL_CTX_use_certificate: (context: Pointer, certificate: Pointer) => number;
  readonly SSL_CTX_use_PrivateKey: (context: Pointer, key: Pointer) => number;
  readonly SSL_CTX_check_private_key: (context: Pointer) => number;
  readonly SSL_CTX_set_verify: (context: Pointer, mode: number, callback: Pointer) => void;
  readonly SSL_CTX_get_cert_store: (context: Pointer) => Pointer;
  readonly SSL_CTX_add_client_CA: (context: Pointer, certificate: Pointer) => number;
  readonly SSL_CTX_set_session_id_context: (context: Pointer, bytes: Bytes, length: number) => number;
  readonly SSL_CTX_set_psk_server_callback: (context: Pointer, callback: Pointer) => void;
  readonly SSL_CTX_set_psk_client_callback: (context: Pointer, callback: Pointer) => void;
  readonly SSL_CTX_set_cookie_generate_cb: (context: Pointer, callback: Pointer) => void;
  readonly SSL_CTX_set_cookie_verify_cb: (context: Pointer, callback: Pointer) => void;
  readonly SSL_CTX_set_tlsext_ticket_key_evp_cb: (context: Pointer, callback: Pointer) => number;
  readonly SSL_CTX_set_session_ticket_cb: (
    context: Pointer,
    generated: Pointer,
    decrypted: Pointer,
    argument: Pointer,
  ) => number;

  readonly SSL_new: (context: Pointer) => Pointer;
  readonly SSL_free: (ssl: Pointer) => void;
  readonly SSL_set_bio: (ssl: Pointer, read: Pointer, write: Pointer) => void;
  readonly SSL_ctrl: (ssl: Pointer, command: number, number: number, pointer: Pointer | Bytes) => number;
  readonly SSL_set_accept_state: (ssl: Pointer) => void;
  readonly SSL_set_connect_state: (ssl: Pointer) => void;
  readonly SSL_set1_host: (ssl: Pointer, name: string) => number;
  readonly SSL_set_hostflags: (ssl: Pointer, flags: number) => void;
  readonly SSL_get0_param: (ssl: Pointer) => Pointer;
  readonly DTLS_set_timer_cb: (ssl: Pointer, callback: Pointer) => void;
  readonly DTLSv1_listen: (ssl: Pointer, peer: Pointer) => number;
  readonly SSL_do_handshake: (ssl: Pointer) => number;
  readonly SSL_read: (ssl: Pointer, bytes: Bytes, length: number) => number;
  readonly SSL_write: (ssl: Pointer, bytes: Bytes, length: number) => number;
  readonly SSL_shutdown: (ssl: Pointer) => number;
  readonly SSL_get_error: (ssl: Pointer, result: number) => number;
  readonly SSL_get_verify_result: (ssl: Pointer) => number;
  readonly SSL_session_reused: (ssl: Pointer) => number;
  readonly SSL_get1_peer_certificate: (ssl: Pointer) => Pointer;
  readonly SSL_get_psk_identity: (ssl: Pointer) => string | null;
  readonly SSL_get_current_cipher: (ssl: Pointer) => Pointer;
  readonly SSL_CIPHER_get_name: (cipher: Pointer) => string;
  readonly SSL_get_version: (ssl: Pointer) => string;
  readonly SSL_get1_session: (ssl: Pointer) => Pointer;
  readonly SSL_set_session: (ssl: Pointer, session: Pointer) => number;
  readonly SSL_SESSION_free: (session: Pointer) => void;
  readonly SSL_SESSION_get0_peer: (session: Pointer) => Pointer;
  readonly DTLS_get_data_mtu: (ssl: Pointer) => number | bigint;
  readonly i2d_SSL_SESSION: (session: Pointer, bytes: BytesOut) => number;
  readonly d2i_SSL_SESSION: (session: Pointer, bytes: BytesOut, length: number) => Pointer;

  readonly BIO_new: (method: Pointer) => Pointer;
  readonly BIO_s_mem: () => Pointer;
  readonly BIO_new_mem_buf: (bytes: Bytes, length: number) => Pointer;
  readonly BIO_up_ref: (bio: Pointer) => number;
  readonly BIO_free: (bio: Pointer) => number;
  readonly BIO_read: (bio: Pointer, bytes: Bytes, length: number) => number;
  readonly BIO_write: (bio: Pointer, bytes: Bytes, length: number) => number;
  readonly BIO_ctrl: (bio: Pointer, command: number, number: number, pointer: Pointer) => number;
  readonly BIO_ADDR_new: () => Pointer;

  readonly PEM_read_bio_X509: (bio: Pointer, out: Pointer, callback: Pointer, argument: Pointer) => Pointer;
  readonly PEM_read_bio_PrivateKey: (
    bio: Pointer,
    out: Pointer,
    callback: Pointer,
    argument: Pointer,
  ) => Pointer;
  readonly X509_free: (certificate: Pointer) => void;
  readonly X509_get0_notAfter: (certificate: Pointer) => Pointer;
  readonly X509_cmp_current_time: (time: Pointer) => number;
  readonly X509_STORE_add_cert: (store: Pointer, certificate: Pointer) => number;
  readonly X509_STORE_CTX_get_error: (store: Pointer) => number;
  readonly X509_STORE_CTX_set_error: (store: Pointer, error: number) => void;
  readonly X509_STORE_CTX_get_current_cert: (store: Pointer) => Pointer;
  readonly X509_VERIFY_PARAM_set1_ip_asc: (parameters: Pointer, address: string) => number;
  readonly X509_verify_cert_error_string: (error: number) => string;
  readonly i2d_X509: (certificate: Pointer, bytes: BytesOut) => number;
  readonly EVP_PKEY_free: (key: Pointer) => void;

  readonly EVP_aes_256_cbc: () => Pointer;
  readonly EVP_EncryptInit_ex: (
    context: Pointer,
    cipher: Pointer,
    engine: Pointer,
    key: Bytes,
    iv: Bytes,
  ) => number;
  readonly EVP_DecryptInit_ex: (
    context: Pointer,
    cipher: Pointer,
    engine: Pointer,
    key: Bytes,
    iv: Bytes,
  ) => number;
  readonly EVP_MAC_CTX_set_params: (context: Pointer, parameters: Bytes) => number;

  readonly ERR_clear_error: () => void;
  readonly ERR_get_error: () => number | bigint;
  readonly ERR_reason_error_string: (error: number | bigint) => string | null;

  /** Between native memory and ours, in either direction. */
  readonly memcpy: (target: Pointer | Bytes, source: Pointer | Bytes, length: number) => void;
}

/** C types: p pointer, b bytes, o bytes in and out, s string, i int, u unsigned, l long, U unsigned long, q uint64, z size_t, v void. */
const C_TYPE: Readonly<Record<string, string>> = {
  p: 'void *',
  b: 'const void *',
  o: '_Inout_ void **',
  s: 'const char *',
  i: 'int',
  u: 'unsigned int',
  l: 'long',
  U: 'unsigned long',
  q: 'uint64_t',
  z: 'size_t',
  v: 'void',
};

/** Result type, then argument types, in the letters above. */
const SIGNATURES: Readonly<Record<keyof Openssl, string>> = {
  OpenSSL_version: 'si',
  OpenSSL_version_num: 'U',
  DTLS_server_method: 'p',
  DTLS_client_method: 'p',
  SSL_CTX_new: 'pp',
  SSL_CTX_free: 'vp',
  SSL_CTX_ctrl: 'lpilb',
  SSL_CTX_set_options: 'qpq',
  SSL_CTX_set_cipher_list: 'ips',
  SSL_CTX_set_timeout: 'lpl',
  SSL_CTX_use_certificate: 'ipp',
  SSL_CTX_use_PrivateKey: 'ipp',
  SSL_CTX_check_private_key: 'ip',
  SSL_CTX_set_verify: 'vpip',
  SSL_CTX_get_cert_store: 'pp',
  SSL_CTX_add_client_CA: 'ipp',
  SSL_CTX_set_session_id_context: 'ipbu',
  SSL_CTX_set_psk_server_callback: 'vpp',
  SSL_CTX_set_psk_client_callback: 'vpp',
  SSL_CTX_set_cookie_generate_cb: 'vpp',
  SSL_CTX_set_cookie_verify_cb: 'vpp',
  SSL_CTX_set_tlsext_ticket_key_evp_cb: 'ipp',
  SSL_CTX_set_session_ticket_cb: 'ipppp',
  SSL_new: 'pp',
  SSL_free: 'vp',
  SSL_set_bio: 'vppp',
  SSL_ctrl: 'lpilb',
  SSL_set_accept_state: 'vp',
  SSL_set_connect_state: 'vp',
  SSL_set1_host: 'ips',
  SSL_set_hostflags: 'vpu',
  SSL_get0_param: 'pp',
  DTLS_set_timer_cb: 'vpp',
  DTLSv1_listen: 'ipp',
  SSL_do_handshake: 'ip',
  SSL_read: 'ipbi',
  SSL_write: 'ipbi',
  SSL_shutdown: 'ip',
  SSL_get_error: 'ipi',
  SSL_get_verify_result: 'lp',
  SSL_session_reused: 'ip',
  SSL_get1_peer_certificate: 'pp',
  SSL_get_psk_identity: 'sp',
  SSL_get_current_cipher: 'pp',
  SSL_CIPHER_get_name: 'sp',
  SSL_get_version: 'sp',
  SSL_get1_session: 'pp',
  SSL_set_session: 'ipp',
  SSL_SESSION_free: 'vp',
  SSL_SESSION_get0_peer: 'pp',
  DTLS_get_data_mtu: 'zp',
  i2d_SSL_SESSION: 'ipo',
  d2i_SSL_SESSION: 'ppol',
  BIO_new: 'pp',
  BIO_s_mem: 'p',
  BIO_new_mem_buf: 'pbi',
  BIO_up_ref: 'ip',
  BIO_free: 'ip',
  BIO_read: 'ipbi',
  BIO_write: 'ipbi',
  BIO_ctrl: 'lpilp',
  BIO_ADDR_new: 'p',
  PEM_read_bio_X509: 'ppppp',
  PEM_read_bio_PrivateKey: 'ppppp',
  X509_free: 'vp',
  X509_get0_notAfter: 'pp',
  X509_cmp_current_time: 'ip',
  X509_STORE_add_cert: 'ipp',
  X509_STORE_CTX_get_error: 'ip',
  X509_STORE_CTX_set_error: 'vpi',
  X509_STORE_CTX_get_current_cert: 'pp',
  X509_VERIFY_PARAM_set1_ip_asc: 'ips',
  X509_verify_cert_error_string: 'sl',
  i2d_X509: 'ipo',
  EVP_PKEY_free: 'vp',
  EVP_aes_256_cbc: 'p',
  EVP_EncryptInit_ex: 'ipppbb',
  EVP_DecryptInit_ex: 'ipppbb',
  EVP_MAC_CTX_set_params: 'ipb',
  ERR_clear_error: 'v',
  ERR_get_error: 'U',
  ERR_reason_error_string: 'sU',
  memcpy: 'pbbz',
};

/** 3.5.0: the line of Node 22.23 and later, the first the engine is tested with. */
const OLDEST_OPENSSL = 0x30500000;
const OPENSSL_VERSION_TEXT = 0;

let loaded: Openssl | undefined;

/** The functions above. Throws, saying what to install, when this process cannot provide them. */
export function openssl(): Openssl {
  loaded ??= load();
  return loaded;
}

function load(): Openssl {
  const library = koffi.load(null);
  const functions: Record<string, unknown> = {};
  const missing: string[] = [];
  for (const [name, letters] of Object.entries(SIGNATURES)) {
    const [result = 'void', ...parameters] = letters.split('').map(cType);
    try {
      functions[name] = library.func(name, result, parameters);
    } catch (error) {
      missing.push(`${name} (${error instanceof Error ? error.message : String(error)})`);
    }
  }
  if (missing.length > 0)
    throw new Error(
      `DTLS needs the OpenSSL inside Node.js, but ${process.execPath} (${process.version}, OpenSSL ${process.versions.openssl}) ` +
        `does not export ${missing.length} of its functions: ${missing.slice(0, 3).join(', ')}. ${REMEDY}`,
    );
  const table = functions as unknown as Openssl;
  const reason = versionProblem(table.OpenSSL_version_num(), table.OpenSSL_version(OPENSSL_VERSION_TEXT));
  if (reason !== undefined) throw new Error(reason);
  return table;
}

/** Why this OpenSSL cannot serve, or undefined. `version` as OPENSSL_VERSION_NUMBER, 0xMNN00PP0. */
export function versionProblem(version: number, text: string): string | undefined {
  return version >= OLDEST_OPENSSL
    ? undefined
    : `DTLS needs OpenSSL 3.5 or later inside Node.js, and ${process.execPath} carries ${text}. ${REMEDY}`;
}

const REMEDY =
  'Run it with the Node.js 24 that "npm ci" installs here, or an official build from nodejs.org.';

function cType(letter: string): string {
  const type = C_TYPE[letter];
  if (type === undefined) throw new Error(`No C type for ${letter}`);
  return type;
}

/**
 * Makes a JavaScript function callable from C and keeps it for the life of the process or until `unregister`.
 * Types are anonymous: koffi's named types are global to the process and may be defined only once.
 */
export function nativeCallback(letters: string, callback: (...values: never[]) => unknown): bigint {
  const [result = 'void', ...parameters] = letters.split('').map(cType);
  return koffi.register(callback, koffi.pointer(koffi.proto(result, parameters)));
}

export function releaseCallback(callback: bigint): void {
  koffi.unregister(callback);
}

/** The native address of bytes that C will read later; the caller keeps the bytes alive. */
export function addressOf(bytes: Uint8Array): bigint {
  return koffi.address(bytes);
}

/** Empties this thread's error queue, which node:crypto shares, and puts it into words; empty when nothing was there. */
export function takeErrors(): string {
  const { ERR_get_error, ERR_reason_error_string } = openssl();
  const reasons: string[] = [];
  for (let code = ERR_get_error(); Number(code) !== 0; code = ERR_get_error())
    reasons.push(ERR_reason_error_string(code) ?? `error ${code.toString(16)}`);
  return reasons.join('; ');
}
