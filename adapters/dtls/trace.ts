/** What the DTLS listener tells whoever wants to know: values, never log lines. */
import type { LimitReason, PeerTrace } from '../tls/trace.ts';

/** Why a datagram was dropped. */
export type DropReason =
  | 'too-short'
  | 'malformed-hello'
  | 'repeated-hello'
  | 'unknown-peer'
  | 'queue-full'
  | LimitReason;

export type DtlsTrace = PeerTrace<DropReason> | { readonly type: 'socket-error'; readonly error: Error };
