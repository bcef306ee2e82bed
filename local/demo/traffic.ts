/** A sender in its own process, so that it can stand in a namespace of its own; ends with its standard input. */
import { parseArgs } from 'node:util';
import { sendTraffic } from '#adapters/udp/traffic.ts';

const { values } = parseArgs({
  options: {
    from: { type: 'string' },
    'from-port': { type: 'string' },
    to: { type: 'string' },
    'to-port': { type: 'string' },
    pps: { type: 'string' },
    bytes: { type: 'string' },
  },
});

const stop = new AbortController();
for (const event of ['SIGINT', 'SIGTERM']) process.on(event, () => stop.abort());
process.stdin.on('end', () => stop.abort()).resume();

const sent = await sendTraffic({
  address: values.to ?? '',
  port: Number(values['to-port']),
  from: { address: values.from ?? '', port: Number(values['from-port']) },
  packetsPerSecond: Number(values.pps),
  bytes: Number(values.bytes),
  signal: stop.signal,
});
process.stdout.write(`${sent}\n`);
process.exit(0);
