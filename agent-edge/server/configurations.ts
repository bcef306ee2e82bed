/** The session configuration of each client with a session here; kept in the store so that it outlives this process. */
import type { IdentityId } from '#core/model/identifiers.ts';
import type { Store } from '#core/ports/store.ts';
import type { InstalledConfiguration } from '#core/session/negotiate.ts';
import { parseStoredConfiguration } from '#core/session/stored-configuration.ts';

/** RFC 9132 §4.5.2: "the 'cuid' Uri-Path MUST NOT be used": a configuration is its identity's. */
const NO_CUID = '';

export class Configurations {
  readonly #store: Pick<Store, 'sessionConfig' | 'putSessionConfig'>;
  readonly #installed = new Map<IdentityId, InstalledConfiguration | undefined>();
  /** Changes of one identity happen one after another, whatever session they come by. */
  readonly #turns = new Map<IdentityId, Promise<unknown>>();

  constructor(store: Pick<Store, 'sessionConfig' | 'putSessionConfig'>) {
    this.#store = store;
  }

  /** As stored, or as kept here already. */
  async read(identityId: IdentityId): Promise<InstalledConfiguration | undefined> {
    if (this.#installed.has(identityId)) return this.#installed.get(identityId);
    return parseStoredConfiguration(await this.#store.sessionConfig(identityId, NO_CUID));
  }

  /** Keeps what was read until `forget`, unless a change has come first. */
  keep(identityId: IdentityId, installed: InstalledConfiguration | undefined): void {
    if (!this.#installed.has(identityId)) this.#installed.set(identityId, installed);
  }

  /** Undefined: defaults. */
  get(identityId: IdentityId): InstalledConfiguration | undefined {
    return this.#installed.get(identityId);
  }

  /** Runs `decide` when it is the identity's turn; what it returns as `install` is stored, then in force. */
  change<T>(
    identityId: IdentityId,
    decide: (installed: InstalledConfiguration | undefined) => {
      readonly result: T;
      readonly install?: { readonly configuration: InstalledConfiguration | undefined };
    },
  ): Promise<T> {
    const turn = (this.#turns.get(identityId) ?? Promise.resolve()).then(async () => {
      const { result, install } = decide(this.#installed.get(identityId));
      if (install !== undefined) {
        await this.#store.putSessionConfig(identityId, NO_CUID, install.configuration ?? null);
        this.#installed.set(identityId, install.configuration);
      }
      return result;
    });
    const settled = turn
      .catch(() => undefined)
      .finally(() => {
        if (this.#turns.get(identityId) === settled) this.#turns.delete(identityId);
      });
    this.#turns.set(identityId, settled);
    return turn;
  }

  /** The identity has no session here any more. */
  forget(identityId: IdentityId): void {
    this.#installed.delete(identityId);
  }
}
