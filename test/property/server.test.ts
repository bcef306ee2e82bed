/** Whatever a peer sends, the router answers; whatever happens on a session, its heartbeats keep their distance. */
import fc from 'fast-check';
import { route } from '#core/server/router.ts';
import { HeartbeatMonitor } from '#core/session/heartbeat.ts';
import { errorResponse } from '#core/signal/error-response.ts';

const TEXT = new TextEncoder();

const segment = fc.oneof(
  fc.constantFrom(
    '.well-known',
    'dots',
    'mitigate',
    'config',
    'hb',
    'cuid=a',
    'mid=1',
    'sid=1',
    'cdid=b',
    'cuid=',
    '',
  ),
  fc.string({ maxLength: 20 }),
);
const option = fc.oneof(
  segment.map((text) => ({ number: 11, value: TEXT.encode(text) })),
  fc.record({
    number: fc.constantFrom(1, 5, 6, 11, 12, 15, 17, 60),
    value: fc.uint8Array({ maxLength: 8 }),
  }),
);
const wellKnown = ['.well-known', 'dots'].map((text) => ({ number: 11, value: TEXT.encode(text) }));

test('S-409 the router never throws, and every refusal has a 4.xx or 5.xx answer', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 7 }),
      fc.array(option, { maxLength: 8 }),
      fc.uint8Array({ maxLength: 60 }),
      fc.boolean(),
      fc.boolean(),
      (code, options, payload, inside, trustsCdid) => {
        const all = inside ? [...wellKnown, ...options] : options;
        const routed = route({ code, options: all, payload, confirmable: false }, { trustsCdid });
        if (!routed.ok) expect(errorResponse(routed.error).code >> 5).toBeGreaterThanOrEqual(4);
      },
    ),
    { numRuns: 5000 },
  );
});

const happening = fc.oneof(
  fc.record({ type: fc.constant('configure' as const), interval: fc.constantFrom(0, 15, 16, 30, 240) }),
  fc.record({ type: fc.constant('heartbeat' as const), status: fc.boolean() }),
  fc.record({ type: fc.constant('traffic' as const) }),
  fc.record({ type: fc.constant('answer' as const) }),
);

test('S-263 whatever is configured, received or answered, 15 seconds lie between two heartbeats of ours', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 0, max: 40_000 }), happening), { maxLength: 60 }),
      fc.constantFrom('client' as const, 'server' as const),
      fc.boolean(),
      (steps, role, followPeer) => {
        const options = { role, followPeer, spread: 0.99 };
        const monitor = new HeartbeatMonitor(options, { heartbeatInterval: 15, missingHbAllowed: 3 }, 0);
        const sent: number[] = [];
        let now = 0;
        const runTo = (until: number): void => {
          while ((monitor.deadline ?? Infinity) <= until) {
            now = Math.max(now, monitor.deadline ?? now);
            const decisions = monitor.advance(now);
            expect(decisions.length).toBeGreaterThan(0);
            for (const { type } of decisions) if (type === 'send') sent.push(now);
          }
          now = until;
        };
        for (const [wait, event] of steps) {
          runTo(now + wait);
          if (event.type === 'configure')
            monitor.configure({ heartbeatInterval: event.interval, missingHbAllowed: 3 }, now);
          else if (event.type === 'heartbeat') monitor.heartbeatReceived(event.status, now);
          else if (event.type === 'traffic') monitor.trafficReceived(now);
          else monitor.answerReceived();
        }
        for (const [index, at] of sent.entries())
          if (index > 0) expect(at - (sent[index - 1] ?? 0)).toBeGreaterThanOrEqual(15_000);
      },
    ),
    { numRuns: 2000 },
  );
});
