/** Pre-shared keys at hand for handshakes, which cannot wait for a store. */
import type { Store } from '#core/ports/store.ts';

export class PskKeys {
  #keys: ReadonlyMap<string, Uint8Array> = new Map();
  readonly #store: Pick<Store, 'psks'>;

  constructor(store: Pick<Store, 'psks'>) {
    this.#store = store;
  }

  /** To be called before the first handshake, and again to learn of new ones. */
  async reload(): Promise<void> {
    this.#keys = await this.#store.psks();
  }

  keyOf(identity: string): Uint8Array | undefined {
    return this.#keys.get(identity);
  }
}
