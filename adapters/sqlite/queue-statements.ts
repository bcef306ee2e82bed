/** Statements of the FIFO queue: one message of a group is out at a time, the oldest first. Times are epoch seconds. */
import type { Database } from './database.ts';

export interface MessageRow {
  readonly group: string;
  readonly deduplicationId: string;
  readonly body: string;
}

/** The same deduplication id within this time is enqueued once. */
const DEDUPLICATION_SECONDS = 300;

/** The oldest message of its group. */
const HEAD = `NOT EXISTS (
  SELECT 1 FROM message e WHERE e.queue = m.queue AND e.message_group = m.message_group AND e.id < m.id)`;

export const QUEUE_WRITES = {
  send(db: Database, queue: string, messages: readonly MessageRow[], now: number): void {
    db.run('DELETE FROM deduplication WHERE expires_at <= ?', now);
    for (const { group, deduplicationId, body } of messages) {
      const isNew = db.run(
        `INSERT INTO deduplication (queue, deduplication_id, expires_at) VALUES (?, ?, ?)
         ON CONFLICT DO NOTHING`,
        queue,
        deduplicationId,
        now + DEDUPLICATION_SECONDS,
      );
      if (isNew > 0)
        db.run(
          'INSERT INTO message (queue, message_group, body, visible_at) VALUES (?, ?, ?, ?)',
          queue,
          group,
          body,
          now,
        );
    }
  },

  /** Up to `limit` deliveries; without any, when the next message becomes visible by itself. */
  receive(db: Database, queue: string, limit: number, now: number, visibleAt: number) {
    const rows = db.all(
      `SELECT id, message_group, body, attempt FROM message m
       WHERE queue = ? AND visible_at <= ? AND ${HEAD} ORDER BY id LIMIT ?`,
      queue,
      now,
      limit,
    );
    const deliveries = rows.map((row) => {
      const id = row['id'] as number;
      const attempt = (row['attempt'] as number) + 1;
      db.run('UPDATE message SET attempt = ?, visible_at = ? WHERE id = ?', attempt, visibleAt, id);
      const group = row['message_group'] as string;
      return { body: row['body'] as string, group, attempt, receipt: `${id}.${attempt}` };
    });
    if (deliveries.length > 0) return { deliveries, nextVisibleAt: undefined };
    const next = db.get(`SELECT min(visible_at) AS next FROM message m WHERE queue = ? AND ${HEAD}`, queue);
    return { deliveries, nextVisibleAt: (next?.['next'] ?? undefined) as number | undefined };
  },

  /** Without effect when the message has been delivered again since: that receiver decides now. */
  acknowledge: (db: Database, queue: string, id: number, attempt: number) =>
    db.run('DELETE FROM message WHERE queue = ? AND id = ? AND attempt = ?', queue, id, attempt),

  release: (db: Database, queue: string, id: number, attempt: number, visibleAt: number) =>
    db.run(
      'UPDATE message SET visible_at = ? WHERE queue = ? AND id = ? AND attempt = ?',
      visibleAt,
      queue,
      id,
      attempt,
    ),

  /** What a receiver that is gone had out: visible again at once. */
  releaseAll: (db: Database, queue: string, now: number) =>
    db.run('UPDATE message SET visible_at = ? WHERE queue = ? AND visible_at > ?', now, queue, now),
};
