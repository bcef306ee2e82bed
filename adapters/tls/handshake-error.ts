/** Why a secure session could not be opened: what a client's owner decides by (try the next address, tell the operator). */

export type HandshakeFailure =
  /** Nobody answered in time; with a wrong PSK over DTLS there is no other sign. */
  | 'timeout'
  /** Nothing listens there, or the network cannot reach it. */
  | 'unreachable'
  /** The server ended the handshake. */
  | 'refused'
  /** The server's certificate or name is not what was asked for. */
  | 'untrusted'
  /** The caller gave up. */
  | 'aborted';

export class HandshakeError extends Error {
  readonly failure: HandshakeFailure;

  constructor(failure: HandshakeFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'HandshakeError';
    this.failure = failure;
  }
}

/** What Node says about a failed handshake, without OpenSSL's thread, file and line. */
export function reasonOf(error: Error & { readonly reason?: unknown }): string {
  return typeof error.reason === 'string' ? error.reason : error.message;
}
