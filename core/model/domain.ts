/** A customer of the provider: what it owns, what it may ask for, and who speaks for it. */
import type { EpochSeconds } from '../base/time.ts';
import type { DomainId, IdentityId } from './identifiers.ts';

/** How a driver reads a bare mitigation request, which never means "drop everything to the target". */
export type Profile = 'divert' | 'limit' | 'reflectors' | 'acl-only' | 'blackhole';

/** One mitigator of a domain's plan, tried in the order of the list. */
export interface MitigatorChoice {
  /** Name under `mitigators:` of the provider's configuration. */
  readonly name: string;
  readonly profile: Profile;
}

/** Overlap with another client of the same domain (RFC 9132 §4.4.2.1 leaves it to the administrator). */
export type ConflictPolicy = 'accept-both' | 'reject-new' | 'replace-old';

export interface DomainPolicy {
  /** Active mitigations at once, all clients together. */
  readonly maxMitigations: number;
  /** Longest lifetime granted, in seconds; -1 allows unlimited ones. */
  readonly maxLifetimeSeconds: number;
  /** Active-but-terminating period, in seconds (RFC 9132 §4.4.4: 120 by default). */
  readonly terminatingSeconds: number;
  /** Ceiling of the doubling terminating period, in seconds (RFC 9132 §4.4.4: 300). */
  readonly maxTerminatingSeconds: number;
  readonly conflictPolicy: ConflictPolicy;
  readonly mitigators: readonly MitigatorChoice[];
  /** Prefixes that no mitigation may ever name, e.g. the provider's own servers. */
  readonly neverTouch: readonly string[];
}

export const DEFAULT_POLICY: DomainPolicy = {
  maxMitigations: 100_000,
  maxLifetimeSeconds: -1,
  terminatingSeconds: 120,
  maxTerminatingSeconds: 300,
  conflictPolicy: 'accept-both',
  mitigators: [{ name: 'alert', profile: 'divert' }],
  neverTouch: [],
};

export interface Domain {
  readonly id: DomainId;
  readonly name: string;
  /** Canonical prefixes that the domain owns. */
  readonly prefixes: readonly string[];
  /** Names that the domain owns; a subdomain of an owned name is owned too. */
  readonly names: readonly string[];
  readonly policy: DomainPolicy;
}

/** `gateway`: trusted to supply cdid (RFC 9132 §4.4.1.2). */
export type Role = 'client' | 'gateway';

/** One registered key or PSK. Taking it out of the registry is the revocation. */
export interface Identity {
  readonly id: IdentityId;
  readonly domainId: DomainId;
  readonly role: Role;
  readonly status: 'active' | 'revoked';
  /** For people: certificate subject, PSK identity. */
  readonly label: string;
  readonly createdAt: EpochSeconds;
}
