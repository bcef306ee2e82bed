/** A process that opens sessions and holds them until its standard input ends: `node session-holder.ts HOME PORT COUNT`. */
import { connectDtls } from '#adapters/dtls/client.ts';
import { demoCredentials } from '#test/support/provider-process.ts';

const [home = '', port = '', count = ''] = process.argv.slice(2);
const AT_ONCE = 8;

const client = demoCredentials(home);
let left = Number(count);
const loop = async (): Promise<void> => {
  while (left-- > 0) await connectDtls({ host: '127.0.0.1', port: Number(port), ...client });
};
await Promise.all(Array.from({ length: AT_ONCE }, loop));
process.stdout.write('holding\n');
process.stdin.resume().on('end', () => process.exit(0));
