/** RFC 7641 §4 as the DOTS server applies it (RFC 9132 §4.4.2.1, §4.5.3): format, age and pace of notifications. */
import { OPTION } from '#core/coap/option-number.ts';
import { makeUintOption } from '#core/coap/options.ts';
import { encodeConfig } from '#core/signal/config-codec.ts';
import {
  CUID,
  codeOf,
  entryOf,
  maxAgeOf,
  mitigation,
  optionOf,
  scopeBody,
} from '#test/support/signal-asks.ts';
import type { SignalClient } from '#test/support/signal-client.ts';
import { ALICE, SignalWorld } from '#test/support/signal-world.ts';

const CONFIG_AGE = 600;
/** RFC 7252 §5.10.5: what no Max-Age means. */
const DEFAULT_AGE = 60;

let world: SignalWorld;
beforeEach(async () => {
  world = await SignalWorld.open({ settings: { configMaxAgeSeconds: CONFIG_AGE } });
});
afterEach(() => world.close());

/** A client that observes its one mitigation, and what it has been told. */
async function observing(): Promise<{ alice: SignalClient; told: () => ReturnType<SignalClient['told']> }> {
  const alice = await world.connect(ALICE);
  await alice.ask('put', mitigation(1), { payload: scopeBody() });
  const exchange = alice.send('get', mitigation(1), { observe: 0 });
  await world.settle();
  return { alice, told: () => alice.told(exchange) };
}

const statuses = (told: ReturnType<SignalClient['told']>): unknown[] =>
  told.map(({ response }) => entryOf(response).status);

test('P-127 P-129 five notifications of a mitigation: one format, and the default age, within which the next one comes', async () => {
  const { told } = await observing();
  await world.report(CUID, 1, { state: 'active' });
  await world.advance(90);
  expect(told().length).toBeGreaterThanOrEqual(6);
  for (const { response } of told()) {
    expect(codeOf(response)).toBe('2.05');
    expect(optionOf(response, OPTION.contentFormat)).toBe(271);
    expect(maxAgeOf(response) ?? DEFAULT_AGE).toBe(DEFAULT_AGE);
  }
  for (const [index, { at }] of told().entries())
    expect(at - (told()[index - 1]?.at ?? at)).toBeLessThan(DEFAULT_AGE * 1000);
});

test('P-127 P-129 five notifications of the configuration: one format, and the age that the operator chose', async () => {
  const alice = await world.connect(ALICE);
  const exchange = alice.send('get', 'config', { observe: 0, confirmable: true });
  await world.settle();
  for (let sid = 1; sid <= 5; sid++) {
    const payload = encodeConfig({ idle: { heartbeatInterval: { current: 60 + sid } } });
    await alice.ask('put', `config/sid=${sid}`, { payload, confirmable: true });
    await world.advance(4);
  }
  const told = alice.told(exchange);
  expect(told).toHaveLength(6);
  for (const { response } of told) {
    expect(optionOf(response, OPTION.contentFormat)).toBe(271);
    expect(response.options).toContainEqual(makeUintOption(OPTION.maxAge, CONFIG_AGE));
  }
});

test('P-138 P-139 ten changes within a second: 3 s between notifications, the states between are passed over', async () => {
  const { told } = await observing();
  const states = ['active', 'stopped', 'failed'] as const;
  for (let change = 0; change < 10; change++) {
    await world.report(CUID, 1, { state: states[change % 2] ?? 'active' });
    await world.advance(0.1);
  }
  await world.report(CUID, 1, { state: 'failed' });
  await world.advance(40);
  const times = told().map(({ at }) => at);
  for (const [index, at] of times.slice(1).entries())
    expect(at - (times[index] ?? 0)).toBeGreaterThanOrEqual(3_000);
  expect(told().length).toBeGreaterThanOrEqual(3);
  expect(statuses(told().slice(1))).toEqual(
    told()
      .slice(1)
      .map(() => 'exceededCapability'),
  );
});
