/**
 * What all associations of one listener, or one client, have in common: whom to trust, how to prove oneself, which suites
 * (RFC 9132 §7.1: DTLS 1.2 or later, RFC 7525). One context serves certificates and PSK on the same port.
 */
import { randomBytes } from 'node:crypto';
import { presentsServiceName } from '../pki/subject-alternative-name.ts';
import type { Psk } from '../tls/psk.ts';
import { GROUPS, SESSION_ID_CONTEXT, suitesFor, TICKET_SECONDS } from '../tls/suites.ts';
import { nativeCallback, openssl, type Pointer, releaseCallback, takeErrors } from './openssl.ts';
import {
  DTLS_1_2,
  SSL_CTRL,
  SSL_MODE_RELEASE_BUFFERS,
  SSL_OP,
  SSL_SESS_CACHE_OFF,
  SSL_VERIFY,
  TICKET,
  X509_V_ERR_HOSTNAME_MISMATCH,
  X509_V_OK,
} from './openssl-constants.ts';
import { certificateDer, readCertificates, readPrivateKey } from './pem.ts';
import { prepareTicket, readTicketKeys, TICKET_KEY_LENGTH, type TicketKey } from './ticket-keys.ts';

interface CommonOptions {
  /** PEM: authorities whose certificates are accepted. */
  readonly ca?: string;
  /** PEM: own certificate first, then the intermediates. */
  readonly cert?: string;
  /** PEM, PKCS#8. */
  readonly key?: string;
  /** Largest datagram, in bytes. */
  readonly mtu: number;
}

export interface ServerContextOptions extends CommonOptions {
  readonly role: 'server';
  /** The key of a PSK identity, at once: the handshake cannot wait. */
  readonly pskKey?: (identity: string) => Uint8Array | undefined;
  /** 80 bytes each, current first; every process of a service has the same. Random when absent. */
  readonly ticketKeys?: readonly Uint8Array[];
}

export interface ClientContextOptions extends CommonOptions {
  readonly role: 'client';
  readonly psk?: Psk;
  /** The name, or IP literal, the server's certificate must carry. */
  readonly serverName: string;
}

export type SecureContextOptions = ServerContextOptions | ClientContextOptions;

/** Bytes of certificates a peer may send. */
const MAX_CERTIFICATE_LIST = 32_768;
const SMALLEST_SEND_FRAGMENT = 512;
export class SecureContext {
  readonly pointer: Pointer;
  readonly options: SecureContextOptions;
  readonly #callbacks: bigint[] = [];
  #ticketKeys: readonly TicketKey[] = [];
  #pskFault: unknown;

  /** Throws when an option cannot be used: no certificate in the PEM, a key that does not belong to it, nothing to prove. */
  constructor(options: SecureContextOptions) {
    const { SSL_CTX_new, SSL_CTX_free, DTLS_server_method, DTLS_client_method } = openssl();
    this.options = options;
    this.pointer = SSL_CTX_new(options.role === 'server' ? DTLS_server_method() : DTLS_client_method());
    try {
      this.#setProfile();
      this.#setCertificate();
      this.#setTrust();
      if (options.role === 'server') this.#setServer(options);
      else this.#setClient(options);
    } catch (error) {
      SSL_CTX_free(this.pointer);
      this.#releaseCallbacks();
      throw error;
    }
  }

  setTicketKeys(keys: readonly Uint8Array[]): void {
    this.#ticketKeys = readTicketKeys(keys);
  }

  /** What `pskKey` threw since the last call: an OpenSSL callback has nobody to throw to. */
  takePskFault(): unknown {
    const fault = this.#pskFault;
    this.#pskFault = undefined;
    return fault;
  }

  /** Only when every connection made from it is gone. */
  free(): void {
    openssl().SSL_CTX_free(this.pointer);
    this.#releaseCallbacks();
  }

  #setProfile(): void {
    const { SSL_CTX_ctrl, SSL_CTX_set_options, SSL_CTX_set_cipher_list, SSL_CTX_set_timeout } = openssl();
    const { role, mtu } = this.options;
    SSL_CTX_ctrl(this.pointer, SSL_CTRL.setMinimumVersion, DTLS_1_2, null);
    SSL_CTX_ctrl(this.pointer, SSL_CTRL.setSessionCacheMode, SSL_SESS_CACHE_OFF, null);
    SSL_CTX_ctrl(this.pointer, SSL_CTRL.mode, SSL_MODE_RELEASE_BUFFERS, null);
    SSL_CTX_ctrl(this.pointer, SSL_CTRL.setMaxCertificateList, MAX_CERTIFICATE_LIST, null);
    SSL_CTX_ctrl(this.pointer, SSL_CTRL.setMaxSendFragment, Math.max(mtu, SMALLEST_SEND_FRAGMENT), null);
    SSL_CTX_ctrl(this.pointer, SSL_CTRL.setGroupsList, 0, Buffer.from(`${GROUPS}\0`));
    SSL_CTX_set_timeout(this.pointer, TICKET_SECONDS);
    const server = role === 'server' ? SSL_OP.cookieExchange | SSL_OP.serverPreference : 0n;
    SSL_CTX_set_options(
      this.pointer,
      SSL_OP.noQueryMtu | SSL_OP.noRenegotiation | SSL_OP.noCompression | server,
    );
    must(SSL_CTX_set_cipher_list(this.pointer, this.#suites().join(':')), 'cipher suites');
  }

  #suites(): readonly string[] {
    const { options } = this;
    const psk = options.role === 'server' ? options.pskKey : options.psk;
    const withCertificates =
      options.role === 'server' ? options.cert !== undefined : options.ca !== undefined;
    return suitesFor({ psk: psk !== undefined, certificate: withCertificates });
  }

  #setCertificate(): void {
    const { cert, key } = this.options;
    if (cert === undefined && key === undefined) return;
    if (cert === undefined || key === undefined)
      throw new Error('A certificate needs its key, and a key its certificate');
    const api = openssl();
    const [own, ...chain] = readCertificates(cert);
    must(api.SSL_CTX_use_certificate(this.pointer, own ?? null), 'certificate');
    api.X509_free(own ?? null);
    for (const intermediate of chain)
      api.SSL_CTX_ctrl(this.pointer, SSL_CTRL.extraChainCertificate, 0, intermediate);
    const privateKey = readPrivateKey(key);
    const fits =
      api.SSL_CTX_use_PrivateKey(this.pointer, privateKey) === 1 &&
      api.SSL_CTX_check_private_key(this.pointer) === 1;
    api.EVP_PKEY_free(privateKey);
    must(fits ? 1 : 0, 'key (does it belong to the certificate?)');
  }

  /**
   * The chain, its dates and its purpose are OpenSSL's to verify (RFC 5280 §6). A server refuses a peer without certificate;
   * for PSK suites it does not ask for one.
   */
  #setTrust(): void {
    const api = openssl();
    const { ca, role, cert } = this.options;
    if (ca === undefined) {
      if (role === 'server' && cert !== undefined)
        throw new Error('A server with a certificate needs the authorities of its clients');
      return;
    }
    const store = api.SSL_CTX_get_cert_store(this.pointer);
    for (const authority of readCertificates(ca)) {
      api.X509_STORE_add_cert(store, authority);
      if (role === 'server') api.SSL_CTX_add_client_CA(this.pointer, authority);
      api.X509_free(authority);
    }
    const mode = SSL_VERIFY.peer | SSL_VERIFY.failIfNoPeerCertificate | SSL_VERIFY.clientOnce;
    api.SSL_CTX_set_verify(this.pointer, mode, role === 'client' ? this.#acceptServiceName() : null);
  }

  #setServer(options: ServerContextOptions): void {
    const api = openssl();
    const idContext = Buffer.from(SESSION_ID_CONTEXT);
    api.SSL_CTX_set_session_id_context(this.pointer, idContext, idContext.length);
    api.SSL_CTX_set_cookie_verify_cb(this.pointer, cookieIsChecked());
    api.SSL_CTX_set_cookie_generate_cb(this.pointer, noCookieToMake());
    if (options.pskKey !== undefined)
      api.SSL_CTX_set_psk_server_callback(this.pointer, this.#answerPsk(options.pskKey));
    this.setTicketKeys(options.ticketKeys ?? [randomBytes(TICKET_KEY_LENGTH)]);
    const prepare = this.#callback(
      'ipppppi',
      (_ssl: Pointer, name: Pointer, iv: Pointer, cipher: Pointer, mac: Pointer, sealing: number) =>
        prepareTicket(this.#ticketKeys, name, iv, cipher, mac, sealing === 1),
    );
    must(api.SSL_CTX_set_tlsext_ticket_key_evp_cb(this.pointer, prepare), 'ticket keys');
    must(api.SSL_CTX_set_session_ticket_cb(this.pointer, null, judgeTicket(), null), 'ticket check');
  }

  #setClient(options: ClientContextOptions): void {
    const { psk } = options;
    if (psk === undefined) return;
    const { SSL_CTX_set_psk_client_callback, memcpy } = openssl();
    const identity = Buffer.from(`${psk.identity}\0`);
    const offer = (
      _ssl: Pointer,
      _hint: string | null,
      identityOut: Pointer,
      identityRoom: number,
      keyOut: Pointer,
      keyRoom: number,
    ): number => {
      if (identity.length > identityRoom || psk.key.length > keyRoom) return 0;
      memcpy(identityOut, identity, identity.length);
      memcpy(keyOut, psk.key, psk.key.length);
      return psk.key.length;
    };
    SSL_CTX_set_psk_client_callback(this.pointer, this.#callback('upspupu', offer));
  }

  /** An unknown identity gets the alert unknown_psk_identity (RFC 4279 §2). */
  #answerPsk(pskKey: (identity: string) => Uint8Array | undefined): bigint {
    const { memcpy } = openssl();
    return this.#callback(
      'upspu',
      (_ssl: Pointer, identity: string | null, keyOut: Pointer, room: number) => {
        try {
          const key = identity === null ? undefined : pskKey(identity);
          if (key === undefined || key.length === 0 || key.length > room) return 0;
          memcpy(keyOut, key, key.length);
          return key.length;
        } catch (error) {
          this.#pskFault = error;
          return 0;
        }
      },
    );
  }

  /** OpenSSL knows DNS-ID and addresses; a certificate with the SRV-ID of the name is good as well (RFC 9132 §7.1). */
  #acceptServiceName(): bigint {
    const api = openssl();
    const { options } = this;
    const expected = options.role === 'client' ? options.serverName : '';
    return this.#callback('iip', (accepted: number, store: Pointer) => {
      if (accepted === 1 || api.X509_STORE_CTX_get_error(store) !== X509_V_ERR_HOSTNAME_MISMATCH)
        return accepted;
      const der = certificateDer(api.X509_STORE_CTX_get_current_cert(store));
      if (!presentsServiceName(der, expected)) return 0;
      api.X509_STORE_CTX_set_error(store, X509_V_OK);
      return 1;
    });
  }

  #callback(letters: string, callback: (...values: never[]) => unknown): bigint {
    const pointer = nativeCallback(letters, callback);
    this.#callbacks.push(pointer);
    return pointer;
  }

  #releaseCallbacks(): void {
    for (const callback of this.#callbacks.splice(0)) releaseCallback(callback);
  }
}

function must(result: number, what: string): void {
  if (result !== 1) throw new Error(`Unusable ${what}: ${takeErrors()}`);
}

/** One native callback for the whole process, made when first needed. */
function once(letters: string, callback: (...values: never[]) => unknown): () => bigint {
  let pointer: bigint | undefined;
  return () => {
    pointer ??= nativeCallback(letters, callback);
    return pointer;
  };
}

/** `cookie.ts` has checked it before OpenSSL sees the hello. */
const cookieIsChecked = once('ippu', () => 1);
const noCookieToMake = once('ippp', () => 0);

/**
 * A ticket carries the certificate of its client, which resumption does not verify again: one that has expired since leads
 * to a full handshake, not to a session.
 */
const judgeTicket = once(
  'ippbzip',
  (_ssl: Pointer, session: Pointer, _name: Pointer, _length: number, status: number) => {
    const { SSL_SESSION_get0_peer, X509_get0_notAfter, X509_cmp_current_time } = openssl();
    if (status !== TICKET.status.success && status !== TICKET.status.successRenew)
      return TICKET.return.ignoreRenew;
    const certificate = SSL_SESSION_get0_peer(session);
    if (certificate !== null && X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0)
      return TICKET.return.ignoreRenew;
    return status === TICKET.status.success ? TICKET.return.use : TICKET.return.useRenew;
  },
);
