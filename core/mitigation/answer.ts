/** What a command is answered with; `core/signal/error-response.ts` turns it into CoAP. */
import type { ConflictInformation } from '../model/conflict.ts';
import type { Mid } from '../model/identifiers.ts';
import type { BodyError } from '../signal/bodies.ts';
import type { RequestRefusal } from '../signal/protocol-error.ts';

/** All that `errorResponse` has an answer for, and a decision can find. */
export type Refusal = ({ readonly code: 'invalid' } & BodyError) | RequestRefusal;

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
