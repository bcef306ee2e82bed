/** What a store or queue could not do, in words for the operator: every message says what to do about it. */

export type StoreErrorCode =
  | 'disk-full'
  | 'input-output'
  | 'busy'
  | 'read-only'
  | 'cannot-open'
  | 'corrupt'
  | 'newer-schema'
  | 'wrong-key'
  | 'no-key'
  | 'throttled'
  | 'closed'
  | 'failed';

/** Nothing of what was asked has been acknowledged; the process and the store object live on unless `code` is `closed`. */
export class StoreError extends Error {
  readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'StoreError';
    this.code = code;
  }
}
