/** What a listener tells whoever wants to know: values, never log lines. */
import type { Credential } from '#core/ports/secure-session.ts';

/** Of either transport; `DropReason` is why something was not let in. */
export type PeerTrace<DropReason extends string> =
  | {
      readonly type: 'opened';
      readonly remote: string;
      readonly kind: Credential['kind'];
      readonly cipher: string;
      readonly resumed: boolean;
    }
  | { readonly type: 'handshake-failed'; readonly remote: string; readonly reason: string }
  | { readonly type: 'closed'; readonly remote: string; readonly reason: string }
  | { readonly type: 'dropped'; readonly remote: string; readonly reason: DropReason }
  /** Something threw that should not have: ours or the owner's handler. The peer concerned is closed, the rest goes on. */
  | { readonly type: 'fault'; readonly remote: string; readonly error: unknown };

/** Limits that hold on both transports. */
export type LimitReason = 'prefix-limit' | 'global-limit' | 'pending-limit' | 'session-limit' | 'host-limit';

/** What is dropped is a TCP connection. */
export type TlsTrace = PeerTrace<LimitReason>;
