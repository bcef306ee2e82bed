/** May this identity signal, and for which domain: asked once per session and again every few minutes (RFC 9132 §8). */
import type { Instant } from '#core/base/time.ts';
import { type DomainId, type IdentityId, parseDomainId } from '#core/model/identifiers.ts';
import type { AuthorizerAnswer } from '#core/ports/authorizer.ts';
import type { Functions } from '#core/ports/functions.ts';

/** How long an answer is taken for true, in milliseconds. */
const VALID_MS = 300_000;
/** After a failure of the function, in milliseconds. */
const RETRY_MS = 5_000;

export interface Grant {
  readonly domainId: DomainId;
  readonly role: 'client' | 'gateway';
}

export type Standing =
  | { readonly status: 'granted'; readonly grant: Grant }
  | { readonly status: 'refused'; readonly reason: string };

export class Authorization {
  readonly #identityId: IdentityId;
  readonly #authorize: Functions['authorize'];
  #asking = false;
  #dueAt: Instant = -Infinity;

  constructor(identityId: IdentityId, authorize: Functions['authorize']) {
    this.#identityId = identityId;
    this.#authorize = authorize;
  }

  isDue(now: Instant): boolean {
    return !this.#asking && now >= this.#dueAt;
  }

  /** Rejects when the function fails: what it answered before stays true until it answers again. */
  async ask(now: Instant): Promise<Standing> {
    this.#asking = true;
    this.#dueAt = now + RETRY_MS;
    try {
      const standing = standingOf(await this.#authorize({ identityId: this.#identityId }));
      this.#dueAt = now + VALID_MS;
      return standing;
    } finally {
      this.#asking = false;
    }
  }
}

function standingOf(answer: AuthorizerAnswer): Standing {
  if (!answer.allowed) return { status: 'refused', reason: answer.reason };
  const domainId = parseDomainId(answer.domainId);
  if (domainId === undefined)
    throw new Error(`the authorizer names a domain that cannot be: ${answer.domainId}`);
  return { status: 'granted', grant: { domainId, role: answer.role } };
}
