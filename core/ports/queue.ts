/** A FIFO queue with groups: in order within a group, at least once, redelivered until acknowledged. */
export interface QueueMessage {
  /** Messages of one group are delivered one after another. */
  readonly group: string;
  /** The same id within five minutes is enqueued once. */
  readonly deduplicationId: string;
  /** JSON text, at most 256 KiB. */
  readonly body: string;
}

export interface Delivery {
  readonly body: string;
  readonly group: string;
  /** 1 on the first delivery. */
  readonly attempt: number;
  readonly receipt: string;
}

export interface Queue {
  send(messages: readonly QueueMessage[]): Promise<void>;
  /** Up to `limit` deliveries, hidden from others for `visibilitySeconds`; waits at most `waitSeconds` for the first. */
  receive(limit: number, visibilitySeconds: number, waitSeconds: number): Promise<readonly Delivery[]>;
  acknowledge(receipt: string): Promise<void>;
  /** Makes it visible again after `delaySeconds`. */
  release(receipt: string, delaySeconds: number): Promise<void>;
  close(): Promise<void>;
}

/** What the outbox sends to a mitigator: which record to look at, never what to do (the record says that). */
export interface MitigatorCommand {
  readonly domainId: string;
  readonly cuid: string;
  readonly mid: number;
  readonly generation: number;
  readonly mitigator: string;
}
