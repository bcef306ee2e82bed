/** The provider on one machine: the edge, the functions and the drivers around one SQLite file. */
import { systemClock } from '#adapters/clock/system-clock.ts';
import { systemRandom } from '#adapters/random/system-random.ts';
import { createSignalServer } from '#agent-edge/server/server.ts';
import { createAuthorizer } from '#functions/authorizer/app.ts';
import { createMitigationRequest } from '#functions/mitigation-request/app.ts';
import { type Home, makeHome } from '../home.ts';
import { OperatorError } from '../operator-error.ts';
import { ensureAuthority, readServerCredentials } from '../pki/credentials.ts';
import { asRefusal } from '../refusal.ts';
import { ensureDemo } from '../registry/demo.ts';
import { openHomeStore } from '../registry/open-store.ts';
import { listenAdmin } from './admin-listener.ts';
import { startBackground } from './background.ts';
import { Closers } from './closers.ts';
import { configure } from './configure.ts';
import { listenData } from './data-listener.ts';
import { Health } from './health.ts';
import { invokeInProcess } from './invoke.ts';
import { logListeners } from './listener-log.ts';
import { takeLock } from './lock.ts';
import type { Log } from './log.ts';
import { formatMetrics } from './metrics.ts';
import { openMitigators } from './mitigators.ts';
import type { ServeOptions } from './options.ts';
import { providerMetrics } from './provider-metrics.ts';
import { PskKeys } from './psk-keys.ts';
import { type Ready, removeReady, writeReady } from './ready.ts';
import { openResolver } from './resolver.ts';
import { addressOf, listenSignal } from './signal-listeners.ts';
import { currentTicketKeys, rotateTicketKeys } from './ticket-keys.ts';

export interface Provider {
  readonly ready: Ready;
  /** Says goodbye to every session and stops. */
  close(): Promise<void>;
}

/** Rejects with `OperatorError` when another provider runs in this home, or config.yaml or a port is not as it has to be. */
export async function startProvider(home: Home, options: ServeOptions, log: Log): Promise<Provider> {
  const closers = new Closers();
  try {
    const ready = await open(home, options, log, closers);
    return { ready, close: () => closers.closeAll() };
  } catch (error) {
    await closers.closeAll();
    throw asRefusal(error);
  }
}

async function open(home: Home, options: ServeOptions, log: Log, closers: Closers): Promise<Ready> {
  makeHome(home);
  const lock = takeLock(home.lock);
  if (lock === undefined) throw new OperatorError(`a provider is running in ${home.folder} already`);
  closers.add(() => lock.release());
  removeReady(home);
  await ensureAuthority(home);
  const credentials = readServerCredentials(home);

  const parts = await openHomeStore(home);
  closers.add(() => parts.close());
  const { store } = parts;
  if (options.demo) await ensureDemo(home, store, systemClock);
  const config = await configure(home, store);

  const functions = invokeInProcess({
    authorizer: createAuthorizer({ store }),
    mitigationRequest: createMitigationRequest({
      store,
      resolver: openResolver(config.resolver, systemClock),
      clock: systemClock,
      random: systemRandom,
    }),
  });
  const health = new Health(log);
  const mitigators = openMitigators(home, config, log);
  closers.add(() => Promise.all([...mitigators.values()].map((mitigator) => mitigator.close())));
  const pskKeys = new PskKeys(store);
  await pskKeys.reload();
  closers.add(startBackground({ parts, functions, mitigators, pskKeys, health, log }));

  const server = createSignalServer({ store, functions, clock: systemClock, random: systemRandom, log });
  const signal = await listenSignal({
    host: options.host,
    port: options.signalPort,
    credentials,
    pskKey: (identity) => pskKeys.keyOf(identity),
    ticketKeys: currentTicketKeys(home.ticketKeys, Date.now()),
    onSession: (session) => server.accept(session),
    onTrace: logListeners(log, systemClock),
  });
  closers.add(() => Promise.all([signal.udp.close(), signal.tcp.close()]));
  closers.add(() => server.close());
  const rotation = rotateTicketKeys(home.ticketKeys, [signal.udp, signal.tcp], health);
  closers.add(() => rotation.stop());

  const data = await listenData(credentials, options.host, options.dataPort);
  closers.add(() => data.close());
  const admin = await listenAdmin({
    host: options.adminHost,
    port: options.adminPort,
    health: () => health.trouble(),
    metrics: () => formatMetrics(providerMetrics({ signal, server, health })),
  });
  closers.add(() => admin.close());

  const ready: Ready = {
    signal: { udp: addressOf(signal.udp), tcp: addressOf(signal.tcp) },
    data: data.url,
    admin: admin.url,
    pid: process.pid,
  };
  writeReady(home, ready);
  closers.add(() => removeReady(home));
  return ready;
}
