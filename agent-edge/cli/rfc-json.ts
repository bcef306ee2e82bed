/** What `--json` prints: the names and types of RFC 9132's JSON (§6, Table 5: enumerations and 64-bit numbers are strings). */

import type { MitigationScope } from '#core/model/scope.ts';
import { STATUS_IANA_NAME } from '#core/model/status.ts';
import type { Bounded, ConfigSet, SignalConfigBody } from '#core/signal/bodies.ts';
import type { ReceivedConflict } from '#core/signal/conflict-codec.ts';
import type { ReceivedStatusEntry } from '#core/signal/mitigation-status-codec.ts';

type Json = Readonly<Record<string, unknown>>;

export const CONFLICT_STATUS_NAME = {
  inactive: 'request-inactive-other-active',
  active: 'request-active',
  allInactive: 'all-requests-inactive',
} as const;

export const CONFLICT_CAUSE_NAME = {
  overlappingTargets: 'overlapping-targets',
  conflictWithAcceptlist: 'conflict-with-acceptlist',
  cuidCollision: 'cuid-collision',
} as const;

/** The IANA name; a code registered later is its number. */
export const statusName = (status: ReceivedStatusEntry['status']): string | undefined =>
  typeof status === 'string' ? STATUS_IANA_NAME[status] : status?.toString();

export const statusJson = (entry: ReceivedStatusEntry): Json =>
  compact({
    mid: entry.mid,
    'mitigation-start': entry.mitigationStart?.toString(),
    ...scopeJson(entry.scope),
    lifetime: entry.lifetimeSeconds,
    'trigger-mitigation': entry.triggerMitigation ? undefined : false,
    status: statusName(entry.status),
    'conflict-information': entry.conflict && conflictJson(entry.conflict),
    'bytes-dropped': entry.bytesDropped?.toString(),
    'bps-dropped': entry.bpsDropped?.toString(),
    'pkts-dropped': entry.pktsDropped?.toString(),
    'pps-dropped': entry.ppsDropped?.toString(),
  });

export function conflictJson({ status, cause, retryTimerSeconds, scope }: ReceivedConflict): Json {
  return compact({
    'conflict-status': typeof status === 'string' ? CONFLICT_STATUS_NAME[status] : status,
    'conflict-cause': typeof cause === 'string' ? CONFLICT_CAUSE_NAME[cause] : cause,
    'retry-timer': retryTimerSeconds,
    'conflict-scope':
      scope &&
      compact({
        ...scopeJson(scope),
        'acl-list': scope.aclNames?.map((name) => ({ 'acl-name': name })),
        mid: scope.mid,
      }),
  });
}

export const configJson = ({ sid, mitigating, idle }: SignalConfigBody): Json =>
  compact({
    sid,
    'mitigating-config': mitigating && setJson(mitigating),
    'idle-config': idle && setJson(idle),
  });

const scopeJson = (scope: Partial<MitigationScope>): Json => ({
  'target-prefix': listed(scope.targetPrefixes),
  'target-port-range': listed(scope.targetPortRanges)?.map(({ lowerPort, upperPort }) =>
    compact({ 'lower-port': lowerPort, 'upper-port': upperPort }),
  ),
  'target-protocol': listed(scope.targetProtocols),
  'target-fqdn': listed(scope.targetFqdns),
  'target-uri': listed(scope.targetUris),
  'alias-name': listed(scope.aliasNames),
});

const setJson = (set: ConfigSet): Json =>
  compact({
    'heartbeat-interval': integers(set.heartbeatInterval),
    'missing-hb-allowed': integers(set.missingHbAllowed),
    'probing-rate': integers(set.probingRate),
    'max-retransmit': integers(set.maxRetransmit),
    'ack-timeout': decimals(set.ackTimeout),
    'ack-random-factor': decimals(set.ackRandomFactor),
  });

const integers = (bounded: Bounded | undefined): Json | undefined =>
  bounded &&
  compact({ 'max-value': bounded.max, 'min-value': bounded.min, 'current-value': bounded.current });

const decimals = (bounded: Bounded | undefined): Json | undefined =>
  bounded &&
  compact({
    'max-value-decimal': bounded.max?.toFixed(2),
    'min-value-decimal': bounded.min?.toFixed(2),
    'current-value-decimal': bounded.current?.toFixed(2),
  });

const listed = <T>(list: readonly T[] | undefined): readonly T[] | undefined =>
  list === undefined || list.length === 0 ? undefined : list;

const compact = (value: Json): Json =>
  Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined));
