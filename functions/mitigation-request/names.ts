/** Addresses of the names in one batch, each name asked for once. */
import type { ResolvedNames } from '#core/mitigation/expand-targets.ts';
import type { Resolver } from '#core/ports/resolver.ts';

export class Names {
  readonly #resolver: Resolver;
  readonly #resolved = new Map<string, readonly string[]>();

  constructor(resolver: Resolver) {
    this.#resolver = resolver;
  }

  /** All that is known so far, with `names` among it unless they cannot be resolved. */
  async resolve(names: readonly string[]): Promise<ResolvedNames> {
    const missing = names.filter((name) => !this.#resolved.has(name));
    await Promise.all(
      missing.map(async (name) => {
        const answer = await this.#resolver.resolve(name);
        this.#resolved.set(name, answer?.prefixes ?? []);
      }),
    );
    return this.#resolved;
  }
}
