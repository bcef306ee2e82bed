/** Who may still speak: the registry is asked again for every batch, so that a revocation holds at once. */
import { type Command, isRequested, type Requester } from '#core/mitigation/command.ts';
import type { Identity } from '#core/model/domain.ts';
import type { DomainId, IdentityId } from '#core/model/identifiers.ts';
import type { Store } from '#core/ports/store.ts';

export class Authors {
  readonly #domainId: DomainId;
  readonly #identities: ReadonlyMap<IdentityId, Identity | undefined>;

  private constructor(domainId: DomainId, identities: ReadonlyMap<IdentityId, Identity | undefined>) {
    this.#domainId = domainId;
    this.#identities = identities;
  }

  static async of(
    store: Pick<Store, 'identity'>,
    domainId: DomainId,
    commands: readonly Command[],
  ): Promise<Authors> {
    const ids = new Set(commands.filter(isRequested).map((each) => each.requester.identityId));
    const read = async (id: IdentityId): Promise<[IdentityId, Identity | undefined]> => [
      id,
      await store.identity(id),
    ];
    return new Authors(domainId, new Map(await Promise.all([...ids].map(read))));
  }

  /** Why the requester may not ask this domain for anything; undefined when it may. */
  objection(requester: Requester): string | undefined {
    const identity = this.#identities.get(requester.identityId);
    if (identity?.domainId !== this.#domainId) return 'this identity is not registered for the domain';
    if (identity.status !== 'active') return 'this identity has been revoked';
    // RFC 9132 §4.4.1.2: cdid is supplied by a server-domain gateway, by nobody else.
    const suppliesCdid = requester.cdid !== undefined && identity.role !== 'gateway';
    return suppliesCdid ? 'only a gateway supplies cdid' : undefined;
  }

  /** What people call the requester: certificate subject, PSK identity. */
  nameOf(requester: Requester): string | undefined {
    return this.#identities.get(requester.identityId)?.label;
  }
}
