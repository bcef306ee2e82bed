/**
 * What remembers: domains, identities, mitigations, reports. Two adapters (SQLite, DynamoDB), one contract suite.
 * Readers never see an expired session item; expiry of mitigations is a decision (`due`), not the store's.
 */
import type { EpochSeconds } from '../base/time.ts';
import type { Alias } from '../model/alias.ts';
import type { Domain, Identity } from '../model/domain.ts';
import type { Cuid, DomainId, IdentityId } from '../model/identifiers.ts';
import type { Mitigation, MitigationKey, MitigationReport } from '../model/mitigation.ts';

/** The decision's whole view of one domain, or what changed in it since a version. */
export interface DomainSnapshot {
  /** Grows by one with every commit in the domain. */
  readonly sv: number;
  readonly domain: Domain;
  /** Changed since `sinceSv`, tombstones (`removedAt`) included; without `sinceSv`, all that is stored. */
  readonly mitigations: readonly Mitigation[];
  /** All current aliases of the domain (few and small). */
  readonly aliases: readonly Alias[];
}

/** One atomic step of one domain. Everything or nothing, only if the domain is still at `expectedSv`. */
export interface Commit {
  readonly domainId: DomainId;
  readonly expectedSv: number;
  /** Written whole under (domain, cuid, mid), each with `sv` = expectedSv + 1. Those with changed desire go to the outbox. */
  readonly mitigations: readonly Mitigation[];
  /** Claims a cuid for an identity; fails the commit if another identity holds it (S-057). */
  readonly cuidClaim?: { readonly cuid: Cuid; readonly identityId: IdentityId };
  readonly audit: readonly AuditEntry[];
}

export interface AuditEntry {
  readonly at: EpochSeconds;
  readonly domainId: DomainId;
  readonly actor: string;
  readonly action: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

export type CommitResult =
  | { readonly ok: true; readonly sv: number }
  /** Someone else committed first: read again what changed and decide again. */
  | { readonly ok: false; readonly reason: 'lock-lost' }
  | { readonly ok: false; readonly reason: 'cuid-taken' };

export interface WatchedMitigation {
  readonly mitigation: Mitigation;
  readonly reports: readonly MitigationReport[];
}

export interface Store {
  /** The registry: written by the operator, read by the authorizer. */
  putDomain(domain: Domain): Promise<void>;
  domain(id: DomainId): Promise<Domain | undefined>;
  domains(): Promise<readonly Domain[]>;
  /** Refused (returns the owner) when a prefix of the domain overlaps one that another domain owns. */
  prefixOwner(prefix: string, except: DomainId): Promise<DomainId | undefined>;
  putIdentity(identity: Identity): Promise<void>;
  identity(id: IdentityId): Promise<Identity | undefined>;
  identities(domainId: DomainId): Promise<readonly Identity[]>;
  /** A PSK, 16 to 64 bytes, under the identity derived from its name; kept encrypted where the adapter can. */
  putPsk(name: string, key: Uint8Array): Promise<void>;
  psks(): Promise<ReadonlyMap<string, Uint8Array>>;
  putAlias(alias: Alias): Promise<void>;

  /** Strongly consistent. Undefined when there is no such domain. */
  snapshot(id: DomainId, sinceSv?: number): Promise<DomainSnapshot | undefined>;
  cuidOwner(cuid: Cuid): Promise<IdentityId | undefined>;
  commit(commit: Commit): Promise<CommitResult>;

  mitigation(key: MitigationKey): Promise<Mitigation | undefined>;
  /** Of one client, in ascending mid, tombstones included. */
  mitigations(domainId: DomainId, cuid: Cuid): Promise<readonly Mitigation[]>;
  /** For GET and observers: the given keys with what their mitigators report, absent ones left out. */
  watched(keys: readonly MitigationKey[]): Promise<readonly WatchedMitigation[]>;
  /** Records with `expiresAt` or tombstone grace at or before `now`, oldest first. */
  due(now: EpochSeconds, limit: number): Promise<readonly MitigationKey[]>;
  /** Every record a mitigator may hold something for: not a tombstone whose reports all say removed. */
  unsettled(): AsyncIterable<Mitigation>;
  /**
   * Deletes a tombstone and its reports once it is settled and older than the grace; one that is not settled yet is due
   * again a grace later.
   */
  forget(key: MitigationKey): Promise<void>;

  /** Written only if the mitigation is there and no report of a newer generation is; false otherwise. */
  putReport(report: MitigationReport): Promise<boolean>;
  reports(key: MitigationKey): Promise<readonly MitigationReport[]>;
  /** Newest first. */
  audit(domainId: DomainId, limit: number): Promise<readonly AuditEntry[]>;

  /** Session configuration of one client (RFC 9132 §4.5), JSON of `core/session`. */
  putSessionConfig(identityId: IdentityId, cuid: string, config: unknown): Promise<void>;
  sessionConfig(identityId: IdentityId, cuid: string): Promise<unknown>;

  /**
   * Calls the listener after commits and reports of any process where the adapter can tell (SQLite), never where it
   * cannot (DynamoDB): readers poll as well, this only makes them faster. Returns the unsubscription.
   */
  subscribe(listener: () => void): () => void;

  close(): Promise<void>;
}
