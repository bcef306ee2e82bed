/** `tocsin serve`: the provider on this machine, in the foreground. */
import { Command, InvalidArgumentError } from 'commander';
import { parseIpPrefix } from '#core/model/ip-prefix.ts';
import { homeOf } from '../home.ts';
import { logToStandardError } from '../serve/log.ts';
import type { ServeOptions } from '../serve/options.ts';
import { startProvider } from '../serve/provider.ts';
import { print, wholeNumberFrom, withExamples } from './command-line.ts';

const LAST_PORT = 65_535;

export function serveCommand(): Command {
  const port = wholeNumberFrom(0, LAST_PORT);
  return withExamples(new Command('serve'), [
    'tocsin serve',
    'TOCSIN_HOME=/var/lib/tocsin tocsin serve --host 0.0.0.0 --no-demo',
    'tocsin serve --signal-port 0 --data-port 0 --admin-port 0',
  ])
    .option('--host <address>', 'where the signal and the data channel listen', parseHost, '127.0.0.1')
    .option('--signal-port <port>', 'DTLS over UDP and TLS over TCP; 0 is any free one', port, 4646)
    .option('--data-port <port>', 'HTTPS; 0 is any free one', port, 8443)
    .option('--admin-port <port>', '/healthz and /metrics over HTTP; 0 is any free one', port, 8080)
    .option(
      '--admin-host <address>',
      'where the admin listener is, whatever --host says',
      parseHost,
      '127.0.0.1',
    )
    .option('--no-demo', 'do not make the domains demo and other on the first start')
    .action(serve);
}

async function serve(options: ServeOptions): Promise<void> {
  const stopped = Promise.withResolvers<string>();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stopped.resolve(signal));
  const provider = await startProvider(homeOf(process.env), options, logToStandardError);
  const { signal, data, admin } = provider.ready;
  const text = `tocsin ready: signal ${signal.udp} (udp) ${signal.tcp} (tcp), data ${data}, admin ${admin}`;
  print(options, provider.ready, text);
  await stopped.promise;
  await provider.close();
}

/** A name could be several addresses, or none: which of them are listened on is for the operator to say. */
function parseHost(text: string): string {
  if (text.includes('/') || parseIpPrefix(text) === undefined)
    throw new InvalidArgumentError('It wants an IP address of this machine, or 0.0.0.0 or :: for all.');
  return text;
}
