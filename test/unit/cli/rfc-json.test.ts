import { configJson, conflictJson, statusJson } from '#agent-edge/cli/rfc-json.ts';
import type { Mid } from '#core/model/identifiers.ts';
import { EMPTY_SCOPE } from '#core/model/scope.ts';

const WIDEST = 2n ** 64n - 1n;

test('S-349 64-bit numbers are strings, whole', () => {
  const json = statusJson({
    mid: 4294967295 as Mid,
    scope: {
      ...EMPTY_SCOPE,
      targetPrefixes: ['192.0.2.0/24'],
      targetPortRanges: [{ lowerPort: 1 }, { lowerPort: 2, upperPort: 3 }],
    },
    triggerMitigation: false,
    mitigationStart: WIDEST,
    lifetimeSeconds: -1,
    status: 'signalLoss',
    bytesDropped: WIDEST,
    bpsDropped: 1n,
    pktsDropped: 2n ** 53n + 1n,
    ppsDropped: 0n,
    conflict: { cause: 'overlappingTargets', status: 'active', scope: { mid: 3 as Mid } },
  });
  expect(JSON.parse(JSON.stringify(json))).toEqual({
    mid: 4294967295,
    'mitigation-start': '18446744073709551615',
    'target-prefix': ['192.0.2.0/24'],
    'target-port-range': [{ 'lower-port': 1 }, { 'lower-port': 2, 'upper-port': 3 }],
    lifetime: -1,
    'trigger-mitigation': false,
    status: 'attack-mitigation-signal-loss',
    'conflict-information': {
      'conflict-status': 'request-active',
      'conflict-cause': 'overlapping-targets',
      'conflict-scope': { mid: 3 },
    },
    'bytes-dropped': '18446744073709551615',
    'bps-dropped': '1',
    'pkts-dropped': '9007199254740993',
    'pps-dropped': '0',
  });
});

test('codes that were registered later stay numbers', () => {
  expect(conflictJson({ cause: 9, status: 4 })).toEqual({ 'conflict-cause': 9, 'conflict-status': 4 });
});

test('decimals are strings of two digits', () => {
  expect(configJson({ idle: { ackTimeout: { current: 2, min: 1.1 }, probingRate: { current: 5 } } })).toEqual(
    {
      'idle-config': {
        'ack-timeout': { 'current-value-decimal': '2.00', 'min-value-decimal': '1.10' },
        'probing-rate': { 'current-value': 5 },
      },
    },
  );
});
