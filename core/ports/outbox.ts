/**
 * Mitigations whose desire changed, written in the same transaction as the change: no dual writes.
 * SQLite keeps a table of them; in the cloud the table's stream is the outbox.
 */
import type { MitigationKey } from '../model/mitigation.ts';

export interface OutboxEntry extends MitigationKey {
  /** Position: ascending, unique. */
  readonly id: number;
  readonly generation: number;
}

export interface Outbox {
  /** The oldest entries not yet settled, in order. */
  pending(limit: number): Promise<readonly OutboxEntry[]>;
  /** Everything up to and including `id` is in the queue. */
  settle(id: number): Promise<void>;
}
