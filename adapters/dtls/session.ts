/** An established association as its owner sees it (`core/ports/secure-session.ts`), at either end. */
import type { Credential, SecureSession } from '#core/ports/secure-session.ts';
import type { Connection, Ending } from './connection.ts';

export interface Remote {
  readonly address: string;
  readonly port: number;
}

export class DtlsSession implements SecureSession {
  readonly transport = 'udp';
  readonly remote: Remote;
  readonly credential: Credential;
  readonly resumed: boolean;
  readonly maxPayload: number;
  onMessage: ((bytes: Uint8Array) => void) | undefined;
  onClose: ((reason: string) => void) | undefined;
  readonly #connection: Connection;
  readonly #forget: (reason: string) => void;

  /** `forget`: what the transport does once the association has ended by our wish. */
  constructor(
    connection: Connection,
    remote: Remote,
    credential: Credential,
    resumed: boolean,
    forget: (reason: string) => void,
  ) {
    this.#connection = connection;
    this.remote = remote;
    this.credential = credential;
    this.resumed = resumed;
    this.maxPayload = connection.maxPayload;
    this.#forget = forget;
  }

  send(bytes: Uint8Array): boolean {
    return this.#connection.send(bytes);
  }

  close(): void {
    this.closeBecause('closed');
  }

  /** As `close`, with the reason the owner is told. */
  closeBecause(reason: string): void {
    if (this.#connection.state === 'closed') return;
    this.#connection.close();
    this.#forget(reason);
  }

  /** The transport's word that all is over; tells the owner, once. */
  ended(reason: string): void {
    const { onClose } = this;
    this.onClose = undefined;
    this.onMessage = undefined;
    onClose?.(reason);
  }
}

export function endingReason(ending: Ending | undefined): string {
  if (ending === undefined) return 'closed';
  return typeof ending === 'string' ? ending : ending.failure;
}
