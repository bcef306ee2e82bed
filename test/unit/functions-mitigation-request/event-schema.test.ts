import { mitigationRequestEvent } from '#functions/mitigation-request/event-schema.ts';
import { efficacy, lost, prefixes, put, requester, withdrawal } from '#test/unit/mitigation/fixtures.ts';

const identity = 'A'.repeat(43);
const alice = requester('alice', identity);
const behindGateway = requester('alice', identity, 'east');
const overTheWire = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

test('every command survives JSON', () => {
  const ports = [{ lowerPort: 80 }, { lowerPort: 0, upperPort: 65_535 }];
  const event = {
    domainId: 'demo',
    commands: [
      put(alice, 0, { ...prefixes('192.0.2.1/32'), targetPortRanges: ports }),
      put(behindGateway, 4_294_967_295, prefixes('192.0.2.1/32'), { lifetimeSeconds: -1 }),
      efficacy(alice, 1, prefixes('192.0.2.1/32')),
      efficacy(alice, 1, prefixes('192.0.2.1/32'), { lifetimeSeconds: 60 }),
      withdrawal(alice, 1),
      lost(alice),
      { type: 'attack-stopped', cuid: 'alice', mid: 1, generation: 7 },
      { type: 'due' },
    ],
  };
  expect(mitigationRequestEvent.parse(overTheWire(event))).toEqual(event);
});

const good = put(alice, 1, prefixes('192.0.2.1/32'));
test.each<[string, unknown]>([
  ['no event', undefined],
  ['no domain', { commands: [] }],
  ['a domain that is a path', { domainId: '../other', commands: [] }],
  ['an unknown command', { domainId: 'demo', commands: [{ type: 'drop' }] }],
  ['an unknown key', { domainId: 'demo', commands: [{ ...good, force: true }] }],
  ['a mid beyond 32 bits', { domainId: 'demo', commands: [{ ...good, mid: 4_294_967_296 }] }],
  ['a mid that is text', { domainId: 'demo', commands: [{ ...good, mid: '1' }] }],
  [
    'an identity that is no hash',
    { domainId: 'demo', commands: [put(requester('alice', 'x'), 1, prefixes('a'))] },
  ],
  [
    'a cuid with a separator',
    { domainId: 'demo', commands: [put(requester('a#1', identity), 1, prefixes('a'))] },
  ],
  ['a fraction for a lifetime', { domainId: 'demo', commands: [{ ...good, lifetimeSeconds: 1.5 }] }],
  [
    'a range upside down',
    {
      domainId: 'demo',
      commands: [put(alice, 1, { ...prefixes('a'), targetPortRanges: [{ lowerPort: 2, upperPort: 1 }] })],
    },
  ],
  ['a list without end', { domainId: 'demo', commands: new Array(1001).fill({ type: 'due' }) }],
])('%s is refused', (_what, event) => {
  expect(mitigationRequestEvent.safeParse(event).success).toBe(false);
});
