/** The trie finds what a list would find, after any additions and removals. */
import fc from 'fast-check';
import { PrefixIndex } from '#core/mitigation/prefix-index.ts';
import { formatIpPrefix, type IpPrefix, overlapsPrefix, parseIpPrefix } from '#core/model/ip-prefix.ts';

const masked = (text: string): IpPrefix => {
  const prefix = parseIpPrefix(text);
  if (prefix === undefined) throw new Error(text);
  return prefix;
};

/** Dense enough that prefixes meet: few distinct leading bits. */
const prefix = fc.oneof(
  fc
    .tuple(fc.constantFrom(0, 10, 128, 192, 255), fc.nat(3), fc.nat(3), fc.nat(255), fc.nat(32))
    .map(([a, b, c, d, length]) => masked(`${a}.${b}.${c}.${d}/${length}`)),
  fc
    .tuple(fc.constantFrom('2001:db8', 'fe80:0', '0:0'), fc.nat(3), fc.nat(3), fc.nat(128))
    .map(([head, group, last, length]) => masked(`${head}:${group}::${last}/${length}`)),
);
const change = fc.record({ add: fc.boolean(), prefix, holder: fc.constantFrom('a#1', 'a#2', 'b#1') });

test('overlap by trie is overlap by comparison', () => {
  fc.assert(
    fc.property(
      fc.array(change, { maxLength: 60 }),
      fc.array(prefix, { minLength: 1 }),
      (changes, probes) => {
        const index = new PrefixIndex({ probes: 0 });
        const list = new Map<string, { prefix: IpPrefix; holder: string }>();
        for (const { add, prefix: changed, holder } of changes) {
          const key = `${formatIpPrefix(changed)} ${holder}`;
          if (add) {
            index.add(changed, holder);
            list.set(key, { prefix: changed, holder });
          } else {
            index.remove(changed, holder);
            list.delete(key);
          }
        }
        for (const probe of [...probes, masked('0.0.0.0/0'), masked('::/0')]) {
          const found = new Set<string>();
          index.collectOverlapping(probe, found);
          const expected = [...list.values()].filter((entry) => overlapsPrefix(entry.prefix, probe));
          expect(found).toEqual(new Set(expected.map(({ holder }) => holder)));
        }
      },
    ),
    { numRuns: 500 },
  );
});

test('what is taken out leaves nothing behind', () => {
  fc.assert(
    fc.property(fc.uniqueArray(prefix, { selector: formatIpPrefix }), (prefixes) => {
      const count = { probes: 0 };
      const index = new PrefixIndex(count);
      for (const each of prefixes) index.add(each, 'a#1');
      for (const each of prefixes) index.remove(each, 'a#1');
      index.collectOverlapping(masked('0.0.0.0/0'), new Set());
      index.collectOverlapping(masked('::/0'), new Set());
      expect(count.probes).toBe(0);
    }),
  );
});
