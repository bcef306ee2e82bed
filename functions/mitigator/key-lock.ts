import type { MitigationKey } from '#core/model/mitigation.ts';

/** One at a time for each key: a late `collect` must not announce again what a command is just taking away. */
export class KeyLock {
  readonly #tails = new Map<string, Promise<void>>();

  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(key);
    const mine = (before ?? Promise.resolve()).then(work);
    const tail = mine.then(
      () => undefined,
      () => undefined,
    );
    this.#tails.set(key, tail);
    try {
      return await mine;
    } finally {
      if (this.#tails.get(key) === tail) this.#tails.delete(key);
    }
  }
}

export const lockKey = (mitigator: string, { domainId, cuid, mid }: MitigationKey): string =>
  `${mitigator}#${domainId}#${cuid}#${mid}`;
