/**
 * A DTLS echo server as a process of its own: `node dtls-echo-process.ts '{"ca","cert","key": paths, "ticketKey": hex}'`.
 * Prints `port N`, then a line of JSON for each session. Ends when its standard input does.
 */
import { readFileSync } from 'node:fs';
import { listenDtls } from '#adapters/dtls/server.ts';

interface Settings {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  readonly ticketKey: string;
}

const settings = JSON.parse(process.argv[2] ?? '') as Settings;
const listener = await listenDtls({
  host: '127.0.0.1',
  port: 0,
  ca: readFileSync(settings.ca, 'utf8'),
  cert: readFileSync(settings.cert, 'utf8'),
  key: readFileSync(settings.key, 'utf8'),
  ticketKeys: [Buffer.from(settings.ticketKey, 'hex')],
  onSession: (session) => {
    console.log(JSON.stringify({ resumed: session.resumed, identityId: session.credential.identityId }));
    session.onMessage = (bytes) => {
      session.send(bytes);
    };
  },
});
console.log(`port ${listener.addresses[0]?.split(':').at(-1) ?? ''}`);
process.stdin.on('end', () => process.exit(0));
process.stdin.resume();
