/**
 * What the server tells its log: one event per change of state, none per heartbeat or request, nothing secret. Errors are
 * the text of what failed on our side.
 */
import type { SessionState } from '#core/session/session-machine.ts';

export type SignalEvent =
  | {
      readonly event: 'session-opened';
      readonly session: number;
      readonly identityId: string;
      readonly domainId: string;
      readonly role: string;
      readonly transport: 'udp' | 'tcp';
      readonly remote: string;
      readonly resumed: boolean;
    }
  | {
      readonly event: 'session-refused';
      readonly session: number;
      readonly identityId: string;
      readonly remote: string;
      readonly reason: string;
    }
  | {
      readonly event: 'session-state';
      readonly session: number;
      readonly identityId: string;
      readonly from: SessionState;
      readonly to: SessionState;
    }
  | {
      readonly event: 'session-closed';
      readonly session: number;
      readonly identityId: string;
      readonly reason: string;
    }
  /** Once per session: a client asks under a cuid that is not of its key (RFC 9132 Appendix B). It may, and its key may be in other hands. */
  | { readonly event: 'cuid-not-derived'; readonly session: number; readonly identityId: string }
  | {
      readonly event: 'configuration-changed';
      readonly identityId: string;
      /** Absent: back to the defaults. */
      readonly sid?: number;
    }
  | {
      readonly event: 'signal-lost';
      readonly identityId: string;
      readonly domainId: string;
      readonly cuids: readonly string[];
    }
  /** So many sessions lost at once that none is taken for a customer's signal: triggering waits, operators should look. */
  | { readonly event: 'mass-loss'; readonly waiting: number; readonly sessions: number }
  | { readonly event: 'authorization-failed'; readonly identityId: string; readonly error: string }
  | {
      readonly event: 'commands-failed';
      readonly domainId: string;
      readonly commands: number;
      readonly error: string;
    }
  | { readonly event: 'request-failed'; readonly identityId: string; readonly error: string }
  | { readonly event: 'store-failed'; readonly during: string; readonly error: string };

export type SignalLog = (event: SignalEvent) => void;

export const errorText = (error: unknown): string => (error instanceof Error ? error.message : String(error));
