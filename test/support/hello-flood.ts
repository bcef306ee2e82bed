/**
 * A flood of about 10,000 cookie-less ClientHellos a second from sixteen sockets: `node hello-flood.ts PORT HELLO_HEX`. The randoms differ, so that
 * no two are repetitions. Runs until its standard input ends, then prints `sent N`.
 */
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';

const port = Number(process.argv[2]);
const hello = Buffer.from(process.argv[3] ?? '', 'hex');
const RANDOM_AT = 13 + 12 + 2;
const sockets = Array.from({ length: 16 }, () => createSocket('udp4'));
let sent = 0;
let over = false;
process.stdin.on('end', () => {
  over = true;
});
process.stdin.resume();

function burst(): void {
  if (over) {
    console.log(`sent ${sent}`);
    process.exit(0);
  }
  for (const socket of sockets)
    for (let count = 0; count < 3; count++) {
      const one = Buffer.from(hello);
      randomBytes(8).copy(one, RANDOM_AT);
      socket.send(one, port, '127.0.0.1');
      sent++;
    }
}

await Promise.all(
  sockets.map((socket) => new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))),
);
setInterval(burst, 5);
