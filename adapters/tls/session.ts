/** An established TLS connection as its owner sees it (`core/ports/secure-session.ts`), at either end. */
import type { TLSSocket } from 'node:tls';
import type { Credential, SecureSession } from '#core/ports/secure-session.ts';
import { reasonOf } from './handshake-error.ts';

/** After close_notify the peer has so long to answer with its own. */
const CLOSE_GRACE_MS = 1_000;

export class TlsSession implements SecureSession {
  readonly transport = 'tcp';
  readonly remote: { readonly address: string; readonly port: number };
  readonly credential: Credential;
  readonly resumed: boolean;
  readonly maxPayload = Number.POSITIVE_INFINITY;
  onClose: ((reason: string) => void) | undefined;
  readonly #socket: TLSSocket;
  readonly #maxUnsentBytes: number;
  #onMessage: ((bytes: Uint8Array) => void) | undefined;
  #reading = false;
  #over = false;
  #onEnd: (reason: string) => void = () => undefined;
  #onFault: (error: unknown) => void = () => undefined;

  /** `maxUnsentBytes`: what may wait for a peer that does not read; beyond, it is closed. */
  constructor(socket: TLSSocket, credential: Credential, maxUnsentBytes: number) {
    this.#socket = socket;
    this.credential = credential;
    this.#maxUnsentBytes = maxUnsentBytes;
    this.resumed = socket.isSessionReused();
    this.remote = { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 };
  }

  get onMessage(): ((bytes: Uint8Array) => void) | undefined {
    return this.#onMessage;
  }

  /** Nothing is read, and so nothing lost, before there is someone to read it. */
  set onMessage(handler: ((bytes: Uint8Array) => void) | undefined) {
    this.#onMessage = handler;
    if (handler === undefined || this.#reading || this.#over) return;
    this.#reading = true;
    this.#socket.on('data', (bytes: Uint8Array) => {
      this.#guard(() => this.#onMessage?.(bytes));
    });
  }

  /** `onEnd` is called once; `onFault` with what a handler of the owner threw, after which the session is closed. */
  start(onEnd: (reason: string) => void, onFault: (error: unknown) => void): void {
    this.#onEnd = onEnd;
    this.#onFault = onFault;
    for (const event of ['end', 'close'] as const)
      this.#socket.on(event, () => {
        this.#finish('peer-closed');
      });
    this.#socket.on('error', (error: Error) => {
      this.#finish(reasonOf(error));
    });
  }

  send(bytes: Uint8Array): boolean {
    if (this.#over || !this.#socket.writable) return false;
    if (this.#socket.writableLength + bytes.length > this.#maxUnsentBytes) {
      this.#finish('peer does not read');
      this.#socket.destroy();
      return false;
    }
    this.#socket.write(bytes);
    return true;
  }

  close(): void {
    this.closeBecause('closed');
  }

  /** As `close`, with the reason the owner is told. */
  closeBecause(reason: string): void {
    if (this.#over) return;
    this.#finish(reason);
  }

  #finish(reason: string): void {
    if (this.#over) return;
    this.#over = true;
    const { onClose } = this;
    this.#onMessage = undefined;
    this.onClose = undefined;
    // What still arrives is read and forgotten, so that the peer's own close_notify is seen.
    this.#socket.resume();
    this.#socket.end();
    this.#socket.setTimeout(CLOSE_GRACE_MS, () => this.#socket.destroy());
    this.#onEnd(reason);
    this.#guard(() => onClose?.(reason));
  }

  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#socket.destroy();
      this.#onFault(error);
    }
  }
}
