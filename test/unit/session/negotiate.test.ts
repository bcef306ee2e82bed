/** Session configuration decided, on values alone. */
import type { Sid } from '#core/model/identifiers.ts';
import { DEFAULT_BOUNDS } from '#core/session/config-bounds.ts';
import { describeConfiguration, inForce, negotiate } from '#core/session/negotiate.ts';
import { DEFAULT_CONFIGURATION, DEFAULT_PARAMETERS } from '#core/session/parameters.ts';
import { parseStoredConfiguration } from '#core/session/stored-configuration.ts';
import { toTransmission } from '#core/session/transmission.ts';

const sid = (number: number): Sid => number as Sid;
const installed = { sid: sid(5), configuration: DEFAULT_CONFIGURATION };

test('every value is judged at both ends of its bounds', () => {
  for (const name of [
    'heartbeatInterval',
    'missingHbAllowed',
    'probingRate',
    'maxRetransmit',
    'ackTimeout',
    'ackRandomFactor',
  ] as const) {
    const { min, max } = DEFAULT_BOUNDS[name];
    for (const set of ['mitigating', 'idle'] as const) {
      const asked = (current: number) =>
        negotiate(undefined, sid(1), { [set]: { [name]: { current } } }, DEFAULT_BOUNDS);
      expect([asked(min).ok, asked(max).ok]).toEqual([true, true]);
      for (const outside of [min - 0.01, max + 0.01])
        expect(asked(outside)).toEqual({
          ok: false,
          error: { code: 'unacceptable', set, parameter: name, min, max },
        });
    }
  }
});

test('S-275 a lower sid is refused before its values are looked at', () => {
  const body = { idle: { maxRetransmit: { current: 99 } } };
  expect(negotiate(installed, sid(4), body, DEFAULT_BOUNDS)).toEqual({
    ok: false,
    error: { code: 'lower-sid', installed: 5 },
  });
  expect(negotiate(installed, sid(5), {}, DEFAULT_BOUNDS)).toMatchObject({ value: { created: false } });
  expect(negotiate(installed, sid(6), {}, DEFAULT_BOUNDS)).toMatchObject({ value: { created: true } });
});

test('S-245 over TCP the interval alone is in force and told', () => {
  const changed = { ...DEFAULT_PARAMETERS, heartbeatInterval: 60, missingHbAllowed: 3, maxRetransmit: 7 };
  const config = { sid: sid(1), configuration: { mitigating: changed, idle: changed } };
  expect(inForce(config, 'udp').idle).toEqual(changed);
  expect(inForce(config, 'tcp').idle).toEqual({ ...DEFAULT_PARAMETERS, heartbeatInterval: 60 });
  expect(Object.keys(describeConfiguration(config, DEFAULT_BOUNDS, 'tcp').mitigating ?? {})).toEqual([
    'heartbeatInterval',
  ]);
});

test('S-260 the message layer is given milliseconds, defaults 2 s, 1.5 and 3', () => {
  expect(toTransmission(DEFAULT_PARAMETERS)).toEqual({
    ackTimeoutMs: 2000,
    ackRandomFactor: 1.5,
    maxRetransmit: 3,
    probingRate: 5,
  });
});

test('what was stored comes back, and anything else is no configuration', () => {
  const stored: unknown = JSON.parse(JSON.stringify(installed));
  expect(parseStoredConfiguration(stored)).toEqual(installed);
  for (const other of [
    undefined,
    null,
    1,
    {},
    { ...installed, sid: -1 },
    { sid: 1, configuration: { idle: DEFAULT_PARAMETERS, mitigating: { heartbeatInterval: '30' } } },
  ])
    expect(parseStoredConfiguration(other)).toBeUndefined();
});
