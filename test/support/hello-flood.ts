/**
 * A flood of cookie-less ClientHellos from sixteen sockets: `node hello-flood.ts PORT HELLO_HEX [PER_BURST]`, where each
 * socket sends PER_BURST of them every 5 ms: about 10,000 a second with the default of 3. The randoms differ, so that no two
 * are repetitions. Runs until its standard input ends, then prints `sent N, answered N`.
 */
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';

const port = Number(process.argv[2]);
const hello = Buffer.from(process.argv[3] ?? '', 'hex');
const perBurst = Number(process.argv[4] ?? 3);
const RANDOM_AT = 13 + 12 + 2;
const sockets = Array.from({ length: 16 }, () => createSocket('udp4'));
let sent = 0;
let answered = 0;
let over = false;
process.stdin.on('end', () => {
  over = true;
});
process.stdin.resume();

function burst(): void {
  if (over) {
    console.log(`sent ${sent}, answered ${answered}`);
    process.exit(0);
  }
  for (const socket of sockets)
    for (let count = 0; count < perBurst; count++) {
      const one = Buffer.from(hello);
      randomBytes(8).copy(one, RANDOM_AT);
      socket.send(one, port, '127.0.0.1');
      sent++;
    }
}

for (const socket of sockets)
  socket.on('message', () => {
    answered++;
  });
await Promise.all(
  sockets.map((socket) => new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))),
);
setInterval(burst, 5);
