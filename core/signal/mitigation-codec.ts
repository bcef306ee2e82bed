/** The body of PUT mitigate (RFC 9132 §4.4.1, §4.4.3) and of its answer (§4.4.1.3). */
import type { Result } from '../base/result.ts';
import type { Mid } from '../model/identifiers.ts';
import { ATTACK_STATUS_NUMBER, type AttackStatus } from '../model/status.ts';
import type { BodyError, MitigationAnswerBody, MitigationRequestBody } from './bodies.ts';
import { BodyReader, type Fields } from './body-reader.ts';
import { encodeBody, mapOf } from './body-writer.ts';
import { nameOf, type ReceivedConflict, readConflict, writeConflict } from './conflict-codec.ts';
import { readLifetime } from './lifetime-codec.ts';
import { readScope, SCOPE_KEYS, scopeEntries } from './scope-codec.ts';
import { checkScope } from './scope-rules.ts';

const REQUEST_SECTION = 'RFC 9132 §4.4.1.1';
const ANSWER_SECTION = 'RFC 9132 §4.4.1.3';
const REQUEST_KEYS = [...SCOPE_KEYS, 'lifetime', 'trigger-mitigation', 'attack-status'] as const;

/** Strict: whatever §4.4.1.1 calls invalid is an error that names field and section. */
export function decodeMitigationRequest(bytes: Uint8Array): Result<MitigationRequestBody, BodyError> {
  const reader = new BodyReader(REQUEST_SECTION);
  const message = reader.open(bytes, 'mitigation-scope', ['scope']);
  const entries = reader.list(message, 'scope', (value) => reader.fields(value, 'scope', REQUEST_KEYS));
  if (entries.length !== 1) reader.refuse('scope', 'exactly one entry is needed');
  const fields: Fields = entries[0] ?? new Map();
  const scope = readScope(fields, reader);
  checkScope(scope, reader);
  const attackStatus = readAttackStatus(fields, reader);
  const lifetimeSeconds = readLifetime(fields, reader);
  // "A lifetime of '0' in a mitigation request is an invalid value."
  if (lifetimeSeconds === 0) reader.refuse('lifetime', 'zero');
  if (lifetimeSeconds === undefined && attackStatus === undefined) reader.refuse('lifetime', 'missing');
  return reader.finish({
    scope,
    triggerMitigation: reader.boolean(fields, 'trigger-mitigation') ?? true,
    ...(lifetimeSeconds === undefined ? {} : { lifetimeSeconds }),
    ...(attackStatus === undefined ? {} : { attackStatus }),
  });
}

/** In the order of Figure 7; `trigger-mitigation` only when it is false, its default being true. */
export function encodeMitigationRequest(body: MitigationRequestBody): Uint8Array {
  const entry = mapOf([
    ...scopeEntries(body.scope),
    ['lifetime', body.lifetimeSeconds],
    ['trigger-mitigation', body.triggerMitigation ? undefined : false],
    ['attack-status', body.attackStatus && ATTACK_STATUS_NUMBER[body.attackStatus]],
  ]);
  return encodeBody('mitigation-scope', mapOf([['scope', [entry]]]));
}

/** Also the body of 4.09. */
export function encodeMitigationAnswer(answer: MitigationAnswerBody): Uint8Array {
  const entry = mapOf([
    ['mid', answer.mid],
    ['lifetime', answer.lifetimeSeconds],
    ['conflict-information', answer.conflict && writeConflict(answer.conflict)],
  ]);
  return encodeBody('mitigation-scope', mapOf([['scope', [entry]]]));
}

/** As a client reads it. */
export interface ReceivedAnswer extends Omit<MitigationAnswerBody, 'conflict'> {
  readonly conflict?: ReceivedConflict;
}

export function decodeMitigationAnswer(bytes: Uint8Array): Result<ReceivedAnswer, BodyError> {
  const reader = new BodyReader(ANSWER_SECTION, { tolerant: true });
  const message = reader.open(bytes, 'mitigation-scope', ['scope']);
  const [fields] = reader.list(message, 'scope', (value) =>
    reader.fields(value, 'scope', ['mid', 'lifetime', 'conflict-information']),
  );
  if (fields === undefined) reader.refuse('scope', 'missing');
  return reader.finish(readAnswer(fields ?? new Map(), reader));
}

function readAnswer(fields: Fields, reader: BodyReader): ReceivedAnswer {
  const mid = reader.unsigned(fields, 'mid') as Mid | undefined;
  const lifetimeSeconds = readLifetime(fields, reader);
  const conflict = fields.get('conflict-information');
  return {
    ...(mid === undefined ? {} : { mid }),
    ...(lifetimeSeconds === undefined ? {} : { lifetimeSeconds }),
    ...(conflict === undefined ? {} : { conflict: readConflict(conflict, reader) }),
  };
}

function readAttackStatus(fields: Fields, reader: BodyReader): AttackStatus | undefined {
  const number = reader.unsigned(fields, 'attack-status');
  if (number === undefined) return undefined;
  const status = nameOf(ATTACK_STATUS_NUMBER, number);
  if (typeof status === 'string') return status;
  reader.refuse('attack-status', 'neither 1 nor 2', 'RFC 9132 §4.4.3');
  return undefined;
}
