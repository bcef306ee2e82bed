import type { CborMap } from '#core/cbor/cbor-value.ts';
import { decodeCbor } from '#core/cbor/codec.ts';
import { deleteConfig, getConfig, getMitigations, putConfig, putMitigation } from '#core/client/requests.ts';
import { METHOD } from '#core/coap/code.ts';
import type { Request } from '#core/coap/message.ts';
import { OPTION } from '#core/coap/option-number.ts';
import { optionValues, textOptions, uintOption } from '#core/coap/options.ts';
import type { Cuid, Mid, Sid } from '#core/model/identifiers.ts';
import type { MitigationRequestBody } from '#core/signal/bodies.ts';

const cuid = 'dz6pHjaADkaFTbjr0JGBpw' as Cuid;
const mid = 123 as Mid;
const body: MitigationRequestBody = {
  scope: {
    targetPrefixes: ['192.0.2.0/24'],
    targetPortRanges: [{ lowerPort: 80 }],
    targetProtocols: [6],
    targetFqdns: ['a.example'],
    targetUris: [],
    aliasNames: ['web'],
  },
  lifetimeSeconds: 3600,
  triggerMitigation: false,
};

/** Keys of the only scope entry, with their values. */
function entryOf(request: Request): Map<unknown, unknown> {
  const decoded = decodeCbor(request.payload);
  if (!decoded.ok) throw new Error(decoded.error.why);
  const scope = ((decoded.value as CborMap).get(1) as CborMap).get(2) as CborMap[];
  return new Map(scope[0]);
}

const differing = (left: Map<unknown, unknown>, right: Map<unknown, unknown>): unknown[] =>
  [...new Set([...left.keys(), ...right.keys()])].filter(
    (key) => JSON.stringify(left.get(key)) !== JSON.stringify(right.get(key)),
  );

test('S-154 S-155 a refresh has the same path, and only key 14 differs', () => {
  const first = putMitigation(cuid, mid, body);
  const refresh = putMitigation(cuid, mid, { ...body, lifetimeSeconds: 60 });
  expect(refresh.options).toEqual(first.options);
  expect(differing(entryOf(first), entryOf(refresh))).toEqual([14]);
});

test('S-217 S-219 an efficacy update differs in keys 14 and 29 at most, and has an empty If-Match', () => {
  const first = putMitigation(cuid, mid, body);
  const update = putMitigation(cuid, mid, { ...body, lifetimeSeconds: 60, attackStatus: 'underAttack' });
  expect(differing(entryOf(first), entryOf(update))).toEqual([14, 29]);
  expect(optionValues(update.options, OPTION.ifMatch)).toEqual([new Uint8Array(0)]);
  expect(optionValues(first.options, OPTION.ifMatch)).toEqual([]);
});

test('S-106 no request has a cdid', () => {
  const requests = [
    putMitigation(cuid, mid, body),
    getMitigations(cuid, { mid, filter: 'n', observe: 0 }),
    getConfig(),
    deleteConfig(),
    putConfig(1 as Sid, {}),
  ];
  for (const { options } of requests)
    expect(textOptions(options, OPTION.uriPath)?.some((segment) => segment.startsWith('cdid='))).toBe(false);
});

test('a GET says what it wants, options in ascending order', () => {
  const { code, options } = getMitigations(cuid, { filter: 'n', observe: 0 });
  expect(code).toBe(METHOD.get);
  expect(textOptions(options, OPTION.uriQuery)).toEqual(['c=n']);
  expect(uintOption(options, OPTION.observe)).toBe(0);
  const numbers = options.map(({ number }) => number);
  expect(numbers).toEqual([...numbers].sort((left, right) => left - right));
});
