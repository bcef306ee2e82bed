/** Session configuration on the wire (RFC 9132 §4.5, keys 30 to 44 and 50). */
import type { Result } from '../base/result.ts';
import { type CborMap, type CborValue, DecimalFraction } from '../cbor/cbor-value.ts';
import type { Sid } from '../model/identifiers.ts';
import type { BodyError, Bounded, ConfigSet, SignalConfigBody } from './bodies.ts';
import { BodyReader, type Fields } from './body-reader.ts';
import { encodeBody, mapOf } from './body-writer.ts';
import type { KeyName } from './keys.ts';

const INTEGER_FORM = { max: 'max-value', min: 'min-value', current: 'current-value' } as const;
const DECIMAL_FORM = {
  max: 'max-value-decimal',
  min: 'min-value-decimal',
  current: 'current-value-decimal',
} as const;

/** In the order of Figures 20 and 23. */
const PARAMETERS = {
  heartbeatInterval: { key: 'heartbeat-interval', form: INTEGER_FORM },
  missingHbAllowed: { key: 'missing-hb-allowed', form: INTEGER_FORM },
  probingRate: { key: 'probing-rate', form: INTEGER_FORM },
  maxRetransmit: { key: 'max-retransmit', form: INTEGER_FORM },
  ackTimeout: { key: 'ack-timeout', form: DECIMAL_FORM },
  ackRandomFactor: { key: 'ack-random-factor', form: DECIMAL_FORM },
} as const satisfies Record<
  keyof ConfigSet,
  { key: KeyName; form: typeof INTEGER_FORM | typeof DECIMAL_FORM }
>;

type ParameterName = keyof typeof PARAMETERS;
const PARAMETER_NAMES = Object.keys(PARAMETERS) as ParameterName[];
const PARAMETER_KEYS = PARAMETER_NAMES.map((name) => PARAMETERS[name].key);

const UINT16_MAX = 65535;
/** decimal64 with two fraction digits: mantissa x 10^-2. */
const EXPONENT = -2;
const HUNDREDTHS = 100;

/**
 * The body of PUT config: types and structure only. Values outside of what the server accepts are 4.22, not 4.00, and
 * are judged by `core/session` (D21).
 */
export function decodeConfigRequest(bytes: Uint8Array): Result<SignalConfigBody, BodyError> {
  const reader = new BodyReader('RFC 9132 §4.5.2');
  const message = reader.open(bytes, 'signal-config', ['mitigating-config', 'idle-config']);
  const body = readSets(message, reader, ['current']);
  const parameters = [body.mitigating, body.idle].flatMap((set) => Object.keys(set ?? {}));
  if (parameters.length === 0) reader.refuse('signal-config', 'at least one parameter is needed');
  return reader.finish(body);
}

/** The answer to GET config. */
export function decodeConfigAnswer(bytes: Uint8Array): Result<SignalConfigBody, BodyError> {
  const reader = new BodyReader('RFC 9132 §4.5.1', { tolerant: true });
  const message = reader.open(bytes, 'signal-config', ['sid', 'mitigating-config', 'idle-config']);
  const sid = reader.unsigned(message, 'sid') as Sid | undefined;
  const sets = readSets(message, reader, ['max', 'min', 'current']);
  return reader.finish(sid === undefined ? sets : { sid, ...sets });
}

/** Request or answer: whatever the body holds. */
export const encodeConfig = (body: SignalConfigBody): Uint8Array =>
  encodeBody(
    'signal-config',
    mapOf([
      ['sid', body.sid],
      ['mitigating-config', body.mitigating && writeSet(body.mitigating)],
      ['idle-config', body.idle && writeSet(body.idle)],
    ]),
  );

type Bound = keyof Bounded;

function readSets(message: Fields, reader: BodyReader, bounds: readonly Bound[]): SignalConfigBody {
  const read = (key: 'mitigating-config' | 'idle-config'): ConfigSet =>
    readSet(reader.fields(message.get(key), key, PARAMETER_KEYS), reader, bounds);
  return {
    ...(message.has('mitigating-config') ? { mitigating: read('mitigating-config') } : {}),
    ...(message.has('idle-config') ? { idle: read('idle-config') } : {}),
  };
}

function readSet(fields: Fields, reader: BodyReader, bounds: readonly Bound[]): ConfigSet {
  const set: { -readonly [name in ParameterName]?: Bounded } = {};
  for (const name of PARAMETER_NAMES) {
    if (fields.has(PARAMETERS[name].key)) set[name] = readBounded(fields, name, reader, bounds);
  }
  return set;
}

function readBounded(
  set: Fields,
  parameter: ParameterName,
  reader: BodyReader,
  bounds: readonly Bound[],
): Bounded {
  const { key, form } = PARAMETERS[parameter];
  const fields = reader.fields(
    set.get(key),
    key,
    bounds.map((bound) => form[bound]),
  );
  const values: { -readonly [bound in Bound]?: number } = {};
  for (const bound of bounds) {
    const name = form[bound];
    if (!fields.has(name)) continue;
    const value =
      form === DECIMAL_FORM
        ? readDecimal(fields.get(name), name, reader)
        : reader.unsigned(fields, name, UINT16_MAX);
    if (value !== undefined) values[bound] = value;
  }
  if (values.current === undefined) reader.refuse(form.current, `missing in ${key}`);
  return values;
}

function readDecimal(value: CborValue, field: string, reader: BodyReader): number | undefined {
  if (value instanceof DecimalFraction && value.exponent === EXPONENT) {
    const mantissa = Number(value.mantissa);
    if (Number.isSafeInteger(mantissa)) return mantissa / HUNDREDTHS;
  }
  reader.refuse(field, 'not a decimal fraction of two digits (tag 4, exponent -2)');
  return undefined;
}

const writeSet = (set: ConfigSet): CborMap =>
  mapOf(
    PARAMETER_NAMES.map((name) => {
      const { key, form } = PARAMETERS[name];
      const bounded = set[name];
      return [key, bounded && writeBounded(bounded, form)];
    }),
  );

function writeBounded(bounded: Bounded, form: typeof INTEGER_FORM | typeof DECIMAL_FORM): CborMap {
  const write = (value: number | undefined): CborValue =>
    value === undefined || form === INTEGER_FORM
      ? value
      : new DecimalFraction(EXPONENT, Math.round(value * HUNDREDTHS));
  return mapOf([
    [form.max, write(bounded.max)],
    [form.min, write(bounded.min)],
    [form.current, write(bounded.current)],
  ]);
}
