/** Conflict information on the wire (RFC 9132 §4.4.1.3, keys 17 to 24). */
import type { CborMap, CborValue } from '../cbor/cbor-value.ts';
import {
  CONFLICT_CAUSE_NUMBER,
  CONFLICT_STATUS_NUMBER,
  type ConflictCause,
  type ConflictInformation,
  type ConflictScope,
  type ConflictStatus,
} from '../model/conflict.ts';
import type { Mid } from '../model/identifiers.ts';
import type { BodyReader, Fields } from './body-reader.ts';
import { listOf, mapOf } from './body-writer.ts';
import { readScope, SCOPE_KEYS, scopeEntries } from './scope-codec.ts';

/** As a client reads it: codes registered later stay numbers (S-427). */
export interface ReceivedConflict extends Omit<ConflictInformation, 'status' | 'cause'> {
  readonly status?: ConflictStatus | number;
  readonly cause?: ConflictCause | number;
}

/**
 * Only what its cause allows (YANG `when` of §5.3): nothing else with a cuid collision, targets and mid with
 * overlapping targets, names of ACLs with an accept-list.
 */
export function writeConflict(conflict: ConflictInformation): CborMap {
  if (conflict.cause === 'cuidCollision') {
    return mapOf([['conflict-cause', CONFLICT_CAUSE_NUMBER.cuidCollision]]);
  }
  const scope = conflict.scope === undefined ? undefined : writeConflictScope(conflict.scope, conflict.cause);
  return mapOf([
    ['conflict-status', conflict.status && CONFLICT_STATUS_NUMBER[conflict.status]],
    ['conflict-cause', CONFLICT_CAUSE_NUMBER[conflict.cause]],
    ['retry-timer', conflict.retryTimerSeconds],
    ['conflict-scope', scope === undefined || scope.size === 0 ? undefined : scope],
  ]);
}

export function readConflict(value: CborValue, reader: BodyReader): ReceivedConflict {
  const fields = reader.fields(value, 'conflict-information', [
    'conflict-status',
    'conflict-cause',
    'retry-timer',
    'conflict-scope',
  ]);
  const status = reader.unsigned(fields, 'conflict-status');
  const cause = reader.unsigned(fields, 'conflict-cause');
  const retryTimerSeconds = reader.unsigned(fields, 'retry-timer');
  return {
    ...(status === undefined ? {} : { status: nameOf(CONFLICT_STATUS_NUMBER, status) }),
    ...(cause === undefined ? {} : { cause: nameOf(CONFLICT_CAUSE_NUMBER, cause) }),
    ...(retryTimerSeconds === undefined ? {} : { retryTimerSeconds }),
    ...(fields.has('conflict-scope') ? { scope: readConflictScope(fields, reader) } : {}),
  };
}

function writeConflictScope(scope: ConflictScope, cause: ConflictCause): CborMap {
  if (cause === 'conflictWithAcceptlist') {
    return mapOf([['acl-list', listOf(scope.aclNames, (name) => mapOf([['acl-name', name]]))]]);
  }
  return mapOf([...scopeEntries(scope), ['mid', scope.mid]]);
}

function readConflictScope(conflict: Fields, reader: BodyReader): ConflictScope {
  const fields = reader.fields(conflict.get('conflict-scope'), 'conflict-scope', [
    ...SCOPE_KEYS,
    'acl-list',
    'mid',
  ]);
  const aclNames = reader.list(fields, 'acl-list', (value) =>
    reader.text(reader.fields(value, 'acl-list', ['acl-name', 'acl-type']), 'acl-name'),
  );
  const mid = reader.unsigned(fields, 'mid') as Mid | undefined;
  const targets = Object.entries(readScope(fields, reader)).filter(
    ([, list]: [string, readonly unknown[]]) => list.length > 0,
  );
  return {
    ...(Object.fromEntries(targets) as Partial<ConflictScope>),
    ...(aclNames.length === 0 ? {} : { aclNames }),
    ...(mid === undefined ? {} : { mid }),
  };
}

/** The name of a registered number, or the number. */
export function nameOf<Name extends string>(
  numbers: Readonly<Record<Name, number>>,
  number: number,
): Name | number {
  const names = Object.keys(numbers) as Name[];
  return names.find((name) => numbers[name] === number) ?? number;
}
