/** The outbox on one machine: drained at the start, after every commit, and again after a failure. */
import type { Outbox } from '#core/ports/outbox.ts';
import type { Store } from '#core/ports/store.ts';
import { drainOutbox, type Publish } from './app.ts';

export interface FollowDeps {
  readonly store: Pick<Store, 'subscribe'>;
  readonly outbox: Outbox;
  readonly publish: Publish;
  /** Told of every failure; the entries stay pending and are tried again. */
  readonly onError: (error: unknown) => void;
}

const RETRY_MS = 1_000;

/** Starts following. The returned function stops it and resolves when nothing of it runs any more. */
export function followOutbox({ store, outbox, publish, onError }: FollowDeps): () => Promise<void> {
  const stopping = new AbortController();
  const isStopping = (): boolean => stopping.signal.aborted;
  let wake = (): void => undefined;
  const nextChange = (): Promise<void> =>
    new Promise((resolve) => {
      wake = resolve;
    });

  const follow = async (): Promise<void> => {
    while (!isStopping()) {
      // Listening starts before looking, so that no commit is missed.
      const changed = nextChange();
      try {
        await drainOutbox({ outbox, publish });
        await changed;
      } catch (error) {
        if (isStopping()) return;
        onError(error);
        await pause(RETRY_MS, stopping.signal);
      }
    }
  };

  const unsubscribe = store.subscribe(() => wake());
  const following = follow();
  return async () => {
    stopping.abort();
    unsubscribe();
    wake();
    await following;
  };
}

/** Ends early when the signal is raised. */
function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal.addEventListener('abort', end);
  });
}
