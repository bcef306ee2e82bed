/** What a command is answered with; `core/signal/error-response.ts` turns it into CoAP. */
import type { ConflictInformation } from '../model/conflict.ts';
import type { Mid } from '../model/identifiers.ts';

export type Refusal =
  | { readonly code: 'invalid'; readonly field: string; readonly why: string; readonly section: string }
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
  | { readonly code: 'unauthorized'; readonly why: string }
  | { readonly code: 'limit'; readonly why: string; readonly retryAfterSeconds: number }
  | { readonly code: 'unavailable'; readonly why: string; readonly retryAfterSeconds: number };

export type Answer =
  /** 2.01 */
  | {
      readonly result: 'created';
      readonly mid: Mid;
      readonly lifetimeSeconds: number;
      readonly conflict?: ConflictInformation;
    }
  /** 2.04 */
  | {
      readonly result: 'changed';
      readonly mid: Mid;
      readonly lifetimeSeconds: number;
      readonly conflict?: ConflictInformation;
    }
  /** 2.02, also when there was nothing to delete. */
  | { readonly result: 'deleted' }
  /** No response at all (D12). */
  | { readonly result: 'ignored' }
  | { readonly result: 'done' }
  | { readonly result: 'refused'; readonly refusal: Refusal };
