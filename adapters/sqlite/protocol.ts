/** What the owner and its worker say to each other: named statements, their arguments and results. */
import type { Failure } from './database.ts';
import { MITIGATION_READS, MITIGATION_WRITES } from './mitigation-statements.ts';
import { QUEUE_WRITES } from './queue-statements.ts';
import { REGISTRY_READS, REGISTRY_WRITES } from './registry-statements.ts';

export const READS = { ...REGISTRY_READS, ...MITIGATION_READS };
export const WRITES = { ...REGISTRY_WRITES, ...MITIGATION_WRITES, ...QUEUE_WRITES };

export type Statements = typeof READS & typeof WRITES;
export type StatementName = keyof Statements;

type Tail<T extends readonly unknown[]> = T extends readonly [unknown, ...infer Rest] ? Rest : never;
export type Arguments<N extends StatementName> = Tail<Parameters<Statements[N]>>;
export type Answer<N extends StatementName> = ReturnType<Statements[N]>;

export type ToWorker =
  | {
      readonly type: 'call';
      readonly id: number;
      readonly name: StatementName;
      readonly values: readonly unknown[];
    }
  /** Whether commits of other processes are of interest. */
  | { readonly type: 'watch'; readonly on: boolean }
  | { readonly type: 'close' };

export type FromWorker =
  | { readonly type: 'opened' }
  | { readonly type: 'not-opened'; readonly failure: Failure }
  | { readonly type: 'answers'; readonly answers: readonly CallAnswer[] }
  /** Another process has committed something. */
  | { readonly type: 'changed-elsewhere' };

export type CallAnswer =
  | { readonly id: number; readonly ok: true; readonly value: unknown }
  | { readonly id: number; readonly ok: false; readonly failure: Failure };
