/** The list of mitigations in a GET answer or notification (RFC 9132 §4.4.2). */
import type { Result } from '../base/result.ts';
import type { CborMap } from '../cbor/cbor-value.ts';
import type { Mid } from '../model/identifiers.ts';
import { STATUS_NUMBER, type Status } from '../model/status.ts';
import type { BodyError, ContentFilter, MitigationStatusEntry } from './bodies.ts';
import { BodyReader, type Fields } from './body-reader.ts';
import { type Entry, encodeBody, mapOf } from './body-writer.ts';
import { nameOf, type ReceivedConflict, readConflict, writeConflict } from './conflict-codec.ts';
import { readLifetime } from './lifetime-codec.ts';
import { readScope, SCOPE_KEYS, scopeEntries } from './scope-codec.ts';

const SECTION = 'RFC 9132 §4.4.2';
const ENTRY_KEYS = [
  ...SCOPE_KEYS,
  'mid',
  'mitigation-start',
  'lifetime',
  'trigger-mitigation',
  'status',
  'conflict-information',
  'bytes-dropped',
  'bps-dropped',
  'pkts-dropped',
  'pps-dropped',
] as const;

/**
 * As a client reads it: what a content filter left out is missing, and codes registered later stay numbers (S-347).
 */
export interface ReceivedStatusEntry
  extends Omit<MitigationStatusEntry, 'mitigationStart' | 'lifetimeSeconds' | 'status' | 'conflict'> {
  readonly mitigationStart?: bigint;
  readonly lifetimeSeconds?: number;
  readonly status?: Status | number;
  readonly conflict?: ReceivedConflict;
}

/** `filter` as the client asked: mid and lifetime are always told (D17). */
export function encodeMitigationStatus(
  entries: readonly MitigationStatusEntry[],
  filter: ContentFilter = 'a',
): Uint8Array {
  const scope = entries.map((entry) => writeEntry(entry, filter));
  return encodeBody('mitigation-scope', mapOf([['scope', scope]]));
}

export function decodeMitigationStatus(bytes: Uint8Array): Result<readonly ReceivedStatusEntry[], BodyError> {
  const reader = new BodyReader(SECTION, { tolerant: true });
  const message = reader.open(bytes, 'mitigation-scope', ['scope']);
  if (!message.has('scope')) reader.refuse('scope', 'missing');
  return reader.finish(
    reader.list(message, 'scope', (value) => readEntry(reader.fields(value, 'scope', ENTRY_KEYS), reader)),
  );
}

/** In the order of Figure 14. `mitigation-start` is a bare integer: tag 1 is left out (§4.4.2). */
function writeEntry(entry: MitigationStatusEntry, filter: ContentFilter): CborMap {
  const configuration = (entries: readonly Entry[]): readonly Entry[] => (filter === 'n' ? [] : entries);
  const state = (entries: readonly Entry[]): readonly Entry[] => (filter === 'c' ? [] : entries);
  return mapOf([
    ['mid', entry.mid],
    ...state([['mitigation-start', entry.mitigationStart]]),
    ...configuration(scopeEntries(entry.scope)),
    ['lifetime', entry.lifetimeSeconds],
    ...configuration([['trigger-mitigation', entry.triggerMitigation ? undefined : false]]),
    ...state([
      ['status', STATUS_NUMBER[entry.status]],
      ['conflict-information', entry.conflict && writeConflict(entry.conflict)],
      ['bytes-dropped', entry.bytesDropped],
      ['bps-dropped', entry.bpsDropped],
      ['pkts-dropped', entry.pktsDropped],
      ['pps-dropped', entry.ppsDropped],
    ]),
  ]);
}

function readEntry(fields: Fields, reader: BodyReader): ReceivedStatusEntry | undefined {
  const mid = reader.unsigned(fields, 'mid');
  if (mid === undefined) {
    reader.refuse('mid', 'missing');
    return undefined;
  }
  const status = reader.unsigned(fields, 'status');
  const conflict = fields.get('conflict-information');
  return {
    mid: mid as Mid,
    scope: readScope(fields, reader),
    triggerMitigation: reader.boolean(fields, 'trigger-mitigation') ?? true,
    ...present('mitigationStart', reader.unsigned64(fields, 'mitigation-start')),
    ...present('lifetimeSeconds', readLifetime(fields, reader)),
    ...present('status', status === undefined ? undefined : nameOf(STATUS_NUMBER, status)),
    ...present('conflict', conflict === undefined ? undefined : readConflict(conflict, reader)),
    ...present('bytesDropped', reader.unsigned64(fields, 'bytes-dropped')),
    ...present('bpsDropped', reader.unsigned64(fields, 'bps-dropped')),
    ...present('pktsDropped', reader.unsigned64(fields, 'pkts-dropped')),
    ...present('ppsDropped', reader.unsigned64(fields, 'pps-dropped')),
  };
}

/** An optional property: absent rather than undefined. */
const present = <Name extends string, T>(name: Name, value: T | undefined): { readonly [N in Name]?: T } =>
  (value === undefined ? {} : { [name]: value }) as { readonly [N in Name]?: T };
