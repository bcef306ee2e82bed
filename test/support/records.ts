/** Records to test with: complete and valid, every field open to change. */
import { DEFAULT_POLICY, type Domain, type Identity } from '#core/model/domain.ts';
import type { Cuid, DomainId, IdentityId, Mid } from '#core/model/identifiers.ts';
import type { Mitigation, MitigationKey, MitigationReport } from '#core/model/mitigation.ts';
import { EMPTY_SCOPE } from '#core/model/scope.ts';
import type { AuditEntry } from '#core/ports/store.ts';

export const DEMO = 'demo' as DomainId;
export const OTHER = 'other' as DomainId;
export const CUID = 'dz6pHjaADkaFTbjr0JGBpw' as Cuid;
export const IDENTITY = 'A'.repeat(43) as IdentityId;

export const OTHER_CUID = 'otherotherotherother22' as Cuid;
export const OTHER_IDENTITY = 'B'.repeat(43) as IdentityId;

export const mid = (number: number): Mid => number as Mid;

export function makeDomain(changes: Partial<Domain> = {}): Domain {
  return {
    id: DEMO,
    name: 'Demo',
    prefixes: ['192.0.2.0/24', '2001:db8::/32'],
    names: ['demo.example'],
    policy: DEFAULT_POLICY,
    ...changes,
  };
}

export function makeIdentity(changes: Partial<Identity> = {}): Identity {
  return {
    id: IDENTITY,
    domainId: DEMO,
    role: 'client',
    status: 'active',
    label: 'CN=demo',
    createdAt: 1_800_000_000,
    ...changes,
  };
}

export function makeMitigation(changes: Partial<Mitigation> = {}): Mitigation {
  return {
    domainId: DEMO,
    cuid: CUID,
    mid: mid(1),
    identityId: IDENTITY,
    source: 'client',
    scope: { ...EMPTY_SCOPE, targetPrefixes: ['192.0.2.1/32'], targetPortRanges: [{ lowerPort: 80 }] },
    targets: [{ prefix: '192.0.2.1/32', protocols: [], portRanges: [{ lowerPort: 80 }] }],
    triggerMitigation: true,
    lifetimeSeconds: 3600,
    expiresAt: 1_800_003_600,
    status: 'inProgress',
    startedAt: 1_800_000_000,
    terminatingSeconds: 120,
    desired: 'present',
    generation: 1,
    notices: [],
    sv: 0,
    ...changes,
  };
}

export function makeReport(changes: Partial<MitigationReport> = {}): MitigationReport {
  return {
    domainId: DEMO,
    cuid: CUID,
    mid: mid(1),
    mitigator: 'edge',
    generation: 1,
    state: 'active',
    actualTargets: [{ prefix: '192.0.2.1/32', protocols: [], portRanges: [] }],
    updatedAt: 1_800_000_001,
    ...changes,
  };
}

export const keyOf = ({ domainId, cuid, mid }: MitigationKey): MitigationKey => ({ domainId, cuid, mid });

/** The same without an end of its lifetime. */
export function withoutExpiry(mitigation: Mitigation): Mitigation {
  const copy: { -readonly [Name in keyof Mitigation]: Mitigation[Name] } = { ...mitigation };
  delete copy.expiresAt;
  return copy;
}

export function auditEntry(action: string): AuditEntry {
  return { at: 1_800_000_000, domainId: DEMO, actor: 'client', action, detail: { mid: 1 } };
}
