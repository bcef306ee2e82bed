/** Everything that a signal-channel request can be refused for, before and after it is decided. */
import type { ConflictInformation } from '../model/conflict.ts';
import type { Mid } from '../model/identifiers.ts';
import type { BodyError } from './bodies.ts';

/** Seen from the request alone, and what the resource's owner says of configuration. */
export type ProtocolError =
  | ({ readonly code: 'invalid' } & BodyError)
  /** What there is none of, for the diagnostic: `mid 12`, `this path`. */
  | { readonly code: 'not-found'; readonly what: string }
  | { readonly code: 'method-not-allowed'; readonly allowed: string }
  | { readonly code: 'bad-option'; readonly why: string }
  | { readonly code: 'unsupported-content-format'; readonly format: number }
  | { readonly code: 'not-acceptable'; readonly format: number }
  /** A configuration value outside of the server's bounds (§4.5.2, D21). */
  | ({ readonly code: 'unprocessable' } & BodyError);

/** What only the decision can find. */
export type RequestRefusal =
  | { readonly code: 'not-owned'; readonly target: string }
  | { readonly code: 'unknown-alias'; readonly alias: string }
  | { readonly code: 'unresolvable'; readonly name: string }
  | { readonly code: 'changed-parameters'; readonly field: string }
  | { readonly code: 'unknown-mid' }
  | {
      readonly code: 'conflict';
      readonly conflict: ConflictInformation;
      readonly mid?: Mid;
      readonly lifetimeSeconds?: number;
    }
  /** The peer is authenticated, and nobody's client (RFC 9132 §9, 4.01). */
  | { readonly code: 'unauthorized'; readonly why: string }
  | { readonly code: 'limit'; readonly why: string; readonly retryAfterSeconds: number }
  | { readonly code: 'unavailable'; readonly why: string; readonly retryAfterSeconds: number };

export type SignalError = ProtocolError | RequestRefusal;

/** A body's or a path's error as one of them. */
export const invalid = (error: BodyError): ProtocolError => ({ code: 'invalid', ...error });
