/** A secured association with one peer, DTLS over UDP or TLS over TCP: what the edge and the client see of both. */
import type { IdentityId } from '../model/identifiers.ts';

/** What the handshake has proven. `identityId` is SHA-256 over the SPKI or over the PSK identity. */
export type Credential =
  | {
      readonly kind: 'certificate';
      readonly identityId: IdentityId;
      readonly subject: string;
      /** Seconds since 1970: resumption does not verify again, so the owner of the session must. */
      readonly notAfter: number;
    }
  | { readonly kind: 'raw-public-key'; readonly identityId: IdentityId }
  | { readonly kind: 'psk'; readonly identityId: IdentityId; readonly pskIdentity: string };

export interface SecureSession {
  readonly transport: 'udp' | 'tcp';
  readonly remote: { readonly address: string; readonly port: number };
  readonly credential: Credential;
  readonly resumed: boolean;
  /** Largest payload of one `send`, in bytes; Infinity on TCP. */
  readonly maxPayload: number;
  /** UDP: one datagram. TCP: bytes of the stream. Never throws; false when the session is closed or the payload too large. */
  send(bytes: Uint8Array): boolean;
  /** Sends close_notify, then forgets the peer. Idempotent. */
  close(): void;
  /** Events; each is set once by the owner, in the `opened` callback or before. */
  onMessage: ((bytes: Uint8Array) => void) | undefined;
  onClose: ((reason: string) => void) | undefined;
}

export interface SecureListener {
  /** Bound addresses, `127.0.0.1:4646`. */
  readonly addresses: readonly string[];
  close(): Promise<void>;
}
