import { logListeners } from '#local/serve/listener-log.ts';

const failed = { type: 'handshake-failed', remote: '192.0.2.1:5', reason: 'unknown authority' } as const;

test('strangers cannot fill the log with failed handshakes, and faults are never left out', () => {
  const lines: unknown[] = [];
  let now = 0;
  const trace = logListeners((event) => lines.push(event), { monotonic: () => now });
  for (let count = 0; count < 1000; count++) trace(failed);
  expect(lines).toHaveLength(20);
  expect(lines[0]).toEqual({ event: 'handshake-failed', remote: '192.0.2.1:5', reason: 'unknown authority' });

  now = 3000;
  for (let count = 0; count < 1000; count++) trace(failed);
  expect(lines).toHaveLength(23);

  const error = new Error('a bug');
  trace({ type: 'fault', remote: '192.0.2.1:5', error });
  trace({ type: 'opened', remote: '192.0.2.1:5', kind: 'psk', cipher: 'x', resumed: false });
  expect(lines.slice(23)).toEqual([{ event: 'listener-fault', remote: '192.0.2.1:5', stack: error.stack }]);
});
