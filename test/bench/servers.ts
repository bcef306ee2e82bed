/** The two servers that are measured: the provider as `npm start` runs it, and Debian's libcoap server on OpenSSL. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import {
  demoCredentials,
  makeTemporaryHome,
  removeHome,
  startProviderProcess,
} from '#test/support/provider-process.ts';

export interface MeasuredServer {
  readonly pid: number;
  readonly port: number;
  /** PEM texts of a client that both servers accept. */
  readonly client: { readonly ca: string; readonly cert: string; readonly key: string };
  readonly home: string;
  stop(): Promise<void>;
}

/** `npm start` in a home of its own, removed with it; `config` is its config.yaml. */
export async function startProvider(config?: string): Promise<MeasuredServer> {
  const home = makeTemporaryHome(config);
  const provider = await startProviderProcess(home);
  return {
    pid: provider.pid,
    port: provider.signalPort,
    client: demoCredentials(home),
    home,
    stop: async () => {
      await provider.stop();
      removeHome(home);
    },
  };
}

/** `coap-server-openssl` with the provider's own PKI. Its DTLS port is one above `plainPort`. */
export async function startLibcoap(provider: MeasuredServer, plainPort: number): Promise<MeasuredServer> {
  const pki = join(provider.home, 'pki');
  const files = ['-c', join(pki, 'server.pem'), '-j', join(pki, 'server.key'), '-C', join(pki, 'ca.pem')];
  const child = spawn('coap-server-openssl', ['-A', '127.0.0.1', '-p', `${plainPort}`, '-v', '2', ...files], {
    stdio: 'ignore',
  });
  await pause(500);
  if (child.pid === undefined || child.exitCode !== null)
    throw new Error('coap-server-openssl did not start');
  return {
    ...provider,
    pid: child.pid,
    port: plainPort + 1,
    stop: async () => {
      const ended = once(child, 'exit');
      child.kill();
      await ended;
    },
  };
}
