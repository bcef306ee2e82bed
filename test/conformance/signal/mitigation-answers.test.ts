/** RFC 9132 §4.4.1.3 and §4.4.2: what a server says of mitigations, and how a client reads it. */
import { toHex } from '#core/base/bytes.ts';
import type { CborMap } from '#core/cbor/cbor-value.ts';
import { decodeCbor } from '#core/cbor/codec.ts';
import type { ConflictInformation } from '#core/model/conflict.ts';
import type { Mid } from '#core/model/identifiers.ts';
import { EMPTY_SCOPE } from '#core/model/scope.ts';
import { STATUS_NUMBER, type Status } from '#core/model/status.ts';
import type { MitigationStatusEntry } from '#core/signal/bodies.ts';
import { parseContentFilter } from '#core/signal/content-filter.ts';
import { KEY, type KeyName, keyName } from '#core/signal/keys.ts';
import { decodeMitigationAnswer, encodeMitigationAnswer } from '#core/signal/mitigation-codec.ts';
import { decodeMitigationStatus, encodeMitigationStatus } from '#core/signal/mitigation-status-codec.ts';
import { fromHex } from '#test/support/hex.ts';

const mid = (value: number): Mid => value as Mid;
const ENTRY: MitigationStatusEntry = {
  mid: mid(7),
  scope: {
    ...EMPTY_SCOPE,
    targetPrefixes: ['198.51.100.0/24', '192.0.2.0/24'],
    targetPortRanges: [{ lowerPort: 80 }, { lowerPort: 1, upperPort: 9 }],
    aliasNames: ['web'],
  },
  triggerMitigation: false,
  mitigationStart: 1_507_818_434,
  lifetimeSeconds: 1756,
  status: 'mitigated',
  bytesDropped: 134_334_555n,
  bpsDropped: 2n ** 64n - 1n,
  pktsDropped: 0n,
  ppsDropped: 1n,
};

/** Names of the keys of the only entry, in order. */
function keysOf(body: Uint8Array): (KeyName | undefined)[] {
  const decoded = decodeCbor(body);
  if (!decoded.ok) throw new Error(decoded.error.why);
  return [...firstEntry(decoded.value as CborMap).keys()].map((key) => keyName(Number(key)));
}

const firstEntry = (message: CborMap): CborMap => {
  const scope = (message.get(KEY['mitigation-scope']) as CborMap).get(KEY.scope) as readonly CborMap[];
  return scope[0] ?? new Map();
};

const conflictHex = (conflict: ConflictInformation): string => toHex(encodeMitigationAnswer({ conflict }));

test('S-122 the answer to PUT has mid and lifetime, byte for byte', () => {
  expect(toHex(encodeMitigationAnswer({ mid: mid(123), lifetimeSeconds: 3600 }))).toBe(
    'a101a10281a205187b0e190e10',
  );
});

test('S-146 a cuid collision is told by its cause alone', () => {
  expect(conflictHex({ cause: 'cuidCollision' })).toBe('a101a10281a111a11303');
  expect(
    conflictHex({ cause: 'cuidCollision', status: 'inactive', retryTimerSeconds: 9, scope: { mid: mid(1) } }),
  ).toBe('a101a10281a111a11303');
});

describe('S-350 the conflict-scope has only what its cause allows', () => {
  const scope = { targetPrefixes: ['192.0.2.0/24'], aclNames: ['acl'], mid: mid(11) };

  test('overlapping-targets: targets and mid, no ACL', () => {
    expect(
      conflictHex({ status: 'inactive', cause: 'overlappingTargets', retryTimerSeconds: 1800, scope }),
    ).toBe('a101a10281a111a4120113011419070815a206816c3139322e302e322e302f3234050b');
  });

  test('conflict-with-acceptlist: ACLs alone', () => {
    expect(conflictHex({ cause: 'conflictWithAcceptlist', scope })).toBe(
      'a101a10281a111a2130215a11681a1176361636c',
    );
  });
});

test('S-360 keys of server data', () => {
  expect(
    toHex(
      encodeMitigationStatus([
        {
          mid: mid(1),
          scope: EMPTY_SCOPE,
          triggerMitigation: true,
          mitigationStart: 2,
          lifetimeSeconds: 3,
          status: 'exceededCapability',
          conflict: {
            status: 'active',
            cause: 'overlappingTargets',
            retryTimerSeconds: 5,
            scope: { mid: mid(6) },
          },
          bytesDropped: 7n,
          bpsDropped: 8n,
          pktsDropped: 9n,
          ppsDropped: 10n,
        },
      ]),
    ),
  ).toBe(
    'a101a10281a90501 0f02 0e03 1004 11a4 1202 1301 1405 15a10506 181907 181a08 181b09 181c0a'.replaceAll(
      ' ',
      '',
    ),
  );
});

test('S-175 S-365 mitigation-start and counters are bare unsigned integers', () => {
  const hex = toHex(encodeMitigationStatus([ENTRY]));
  expect(hex).toContain('0f1a59df7bc2');
  expect(hex).not.toContain('c11a');
  expect(hex).toContain('18191a0801c85b');
  expect(hex).toContain('181a1bffffffffffffffff');
});

test('S-161 the content filter selects', () => {
  const configuration = ['target-prefix', 'target-port-range', 'alias-name'];
  const counters = ['bytes-dropped', 'bps-dropped', 'pkts-dropped', 'pps-dropped'];
  const filtered = (queries: string[]) =>
    keysOf(encodeMitigationStatus([ENTRY], parseContentFilter(queries)));
  expect(filtered(['c=c'])).toEqual(['mid', ...configuration, 'lifetime', 'trigger-mitigation']);
  expect(filtered(['c=n'])).toEqual(['mid', 'mitigation-start', 'lifetime', 'status', ...counters]);
  const all = [
    'mid',
    'mitigation-start',
    ...configuration,
    'lifetime',
    'trigger-mitigation',
    'status',
    ...counters,
  ];
  expect(filtered(['c=a'])).toEqual(all);
  expect(filtered([])).toEqual(all);
  expect(filtered(['c=x', 'foo=1'])).toEqual(all);
});

test('S-171 prefixes and ports come back in the order asked, upper-port only where it was', () => {
  const decoded = decodeMitigationStatus(encodeMitigationStatus([ENTRY]));
  expect(decoded.ok && decoded.value[0]?.scope).toEqual(ENTRY.scope);
});

test.each(Object.entries(STATUS_NUMBER) as [Status, number][])(
  'S-364 status %s is %d on the wire',
  (status, number) => {
    expect(toHex(encodeMitigationStatus([{ ...ENTRY, status }], 'n'))).toContain(
      `10${number.toString().padStart(2, '0')}18`,
    );
  },
);

test('S-226 S-345 no answer has attack-status', () => {
  expect(keysOf(encodeMitigationStatus([ENTRY]))).not.toContain('attack-status');
  const withIt = { ...ENTRY, attackStatus: 'underAttack' };
  expect(keysOf(encodeMitigationStatus([withIt]))).not.toContain('attack-status');
});

describe('a client reads', () => {
  test('S-372 past keys it does not know', () => {
    const decoded = decodeMitigationStatus(fromHex('a101a10281a4 0501 0e03 1002 18fe 8101'));
    expect(decoded.ok && decoded.value).toEqual([
      { mid: 1, scope: EMPTY_SCOPE, triggerMitigation: true, lifetimeSeconds: 3, status: 'mitigated' },
    ]);
  });

  test('S-347 S-427 codes that were registered later, as their number', () => {
    const decoded = decodeMitigationStatus(fromHex('a101a10281a4 0501 0e03 1009 11a2 1204 1309'));
    expect(decoded.ok && decoded.value[0]).toMatchObject({ status: 9, conflict: { status: 4, cause: 9 } });
  });

  test('counters of all 64 bits', () => {
    const decoded = decodeMitigationStatus(encodeMitigationStatus([ENTRY]));
    expect(decoded.ok && decoded.value[0]?.bpsDropped).toBe(18446744073709551615n);
  });

  test('an entry without mid or a body without scope is an error', () => {
    expect(decodeMitigationStatus(fromHex('a101a10281a10e03')).ok).toBe(false);
    expect(decodeMitigationStatus(fromHex('a101a0')).ok).toBe(false);
    expect(decodeMitigationAnswer(fromHex('a101a10280')).ok).toBe(false);
  });

  test('a conflict with all its scope', () => {
    const conflict: ConflictInformation = {
      status: 'allInactive',
      cause: 'overlappingTargets',
      retryTimerSeconds: 60,
      scope: { targetPrefixes: ['192.0.2.0/24'], targetPortRanges: [{ lowerPort: 80 }], mid: mid(3) },
    };
    expect(decodeMitigationAnswer(encodeMitigationAnswer({ conflict }))).toEqual({
      ok: true,
      value: { conflict },
    });
  });
});
