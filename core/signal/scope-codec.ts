/** Targets on the wire (RFC 9132 §4.4.1.1, keys 6 to 13): types here, rules in `scope-rules.ts`. */
import type { CborValue } from '../cbor/cbor-value.ts';
import type { MitigationScope, PortRange } from '../model/scope.ts';
import type { BodyReader, Fields } from './body-reader.ts';
import { type Entry, listOf, mapOf } from './body-writer.ts';
import type { KeyName } from './keys.ts';

export const SCOPE_KEYS = [
  'target-prefix',
  'target-port-range',
  'target-protocol',
  'target-fqdn',
  'target-uri',
  'alias-name',
] as const satisfies readonly KeyName[];

const PORT_MAX = 65535;
const PROTOCOL_MAX = 255;

export function readScope(fields: Fields, reader: BodyReader): MitigationScope {
  const texts = (name: KeyName): readonly string[] =>
    reader.list(fields, name, (value) => reader.textValue(value, name));
  return {
    targetPrefixes: texts('target-prefix'),
    targetPortRanges: reader.list(fields, 'target-port-range', (value) => readPortRange(value, reader)),
    targetProtocols: reader.list(fields, 'target-protocol', (value) =>
      reader.unsignedValue(value, 'target-protocol', PROTOCOL_MAX),
    ),
    targetFqdns: texts('target-fqdn'),
    targetUris: texts('target-uri'),
    aliasNames: texts('alias-name'),
  };
}

/** In the order of Figure 7; empty lists are left out. */
export const scopeEntries = (scope: Partial<MitigationScope>): readonly Entry[] => [
  ['target-prefix', listOf(scope.targetPrefixes, (prefix) => prefix)],
  ['target-port-range', listOf(scope.targetPortRanges, writePortRange)],
  ['target-protocol', listOf(scope.targetProtocols, (protocol) => protocol)],
  ['target-fqdn', listOf(scope.targetFqdns, (name) => name)],
  ['target-uri', listOf(scope.targetUris, (uri) => uri)],
  ['alias-name', listOf(scope.aliasNames, (name) => name)],
];

function readPortRange(value: CborValue, reader: BodyReader): PortRange | undefined {
  const fields = reader.fields(value, 'target-port-range', ['lower-port', 'upper-port']);
  const lowerPort = reader.unsigned(fields, 'lower-port', PORT_MAX);
  const upperPort = reader.unsigned(fields, 'upper-port', PORT_MAX);
  if (lowerPort === undefined) {
    reader.refuse('lower-port', 'missing');
    return undefined;
  }
  return upperPort === undefined ? { lowerPort } : { lowerPort, upperPort };
}

const writePortRange = (range: PortRange): CborValue =>
  mapOf([
    ['lower-port', range.lowerPort],
    ['upper-port', range.upperPort],
  ]);
