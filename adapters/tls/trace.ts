/** What the TLS listener tells whoever wants to know: values, never log lines. */
import type { Credential } from '#core/ports/secure-session.ts';

export type TlsTrace =
  | {
      readonly type: 'opened';
      readonly remote: string;
      readonly kind: Credential['kind'];
      readonly cipher: string;
      readonly resumed: boolean;
    }
  | { readonly type: 'handshake-failed'; readonly remote: string; readonly reason: string }
  | { readonly type: 'closed'; readonly remote: string; readonly reason: string }
  /** A TCP connection that was not let in. */
  | {
      readonly type: 'dropped';
      readonly remote: string;
      readonly reason: 'prefix-limit' | 'global-limit' | 'pending-limit' | 'session-limit' | 'host-limit';
    }
  /** Something threw that should not have: ours or the owner's handler. The peer concerned is closed, the rest goes on. */
  | { readonly type: 'fault'; readonly remote: string; readonly error: unknown };
