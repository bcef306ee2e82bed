/** The demo from the first packet to the all-clear. Every step is observed, or the story ends with an error. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Home, makeHome, writeFileWhole } from '../home.ts';
import { readReady } from '../serve/ready.ts';
import type { AgentEvent, AgentOrder } from './agent.ts';
import { Program } from './program.ts';
import type { Rates, Stage } from './stage.ts';
import type { Timeline } from './timeline.ts';

const LIFETIME_SECONDS = 3600;
const MID = 1;
/** What arrives at the victim on a quiet day is far below; what a flood brings is far above. */
const ATTACK_THRESHOLD = 1000;
const SAMPLE_MS = 500;
/** Of one step; a notification of mere counters comes every 15 seconds. */
const PATIENCE_MS = 45_000;

export async function tellStory(
  stage: Stage,
  home: Home,
  timeline: Timeline,
  signal: AbortSignal,
): Promise<void> {
  const within = (): AbortSignal => AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
  timeline.tell('stage', stage.about);

  makeHome(home);
  writeFileWhole(home.config, stage.config, 0o600);
  const provider = new Program(
    join(import.meta.dirname, '../serve/main.ts'),
    ['--host', stage.providerHost, '--signal-port', '0', '--data-port', '0', '--admin-port', '0'],
    { environment: { TOCSIN_HOME: home.folder } },
  );
  try {
    await provider.line((line) => line.startsWith('tocsin ready'), 0, within());
    const address = readReady(home)?.signal.udp ?? '';
    timeline.tell('provider', `listens on ${address}, DTLS over UDP and TLS over TCP`);
    await protect(stage, home, address, timeline, within);
    const exitCode = await provider.stop();
    if (exitCode !== 0) throw new Error(`the provider ended with ${exitCode ?? 'a signal'}`);
    timeline.tell('provider', 'said goodbye to its clients and ended');
  } finally {
    await provider.stop();
  }
}

async function protect(
  stage: Stage,
  home: Home,
  address: string,
  timeline: Timeline,
  within: () => AbortSignal,
): Promise<void> {
  const agent = new Agent(stage, home, address);
  try {
    const connected = await agent.next('connected', within());
    timeline.tell(
      'agent',
      `has its session over ${connected.transport === 'udp' ? 'DTLS' : 'TLS'}, cuid ${connected.cuid}`,
    );

    stage.startVisitors();
    const quiet = await until(stage, (rates) => rates.visitors > 50, within());
    timeline.tell('victim', `quiet: ${quiet.visitors} packets/s of visitors`);

    stage.startAttack();
    timeline.tell('attacker', `floods ${stage.victim}`);
    const flooded = await until(stage, (rates) => rates.attack + rates.visitors > ATTACK_THRESHOLD, within());
    timeline.tell(
      'detector',
      `${describe(flooded)} arrive: more than ${ATTACK_THRESHOLD}, this is an attack`,
    );

    agent.order({
      order: 'mitigate',
      mid: MID,
      prefix: `${stage.victim}/32`,
      lifetimeSeconds: LIFETIME_SECONDS,
    });
    const created = await agent.next('answered', within());
    if (created.code !== '2.01') throw new Error(`the request was answered ${JSON.stringify(created)}`);
    timeline.tell('agent', `PUT mitigate mid=${MID} target-prefix=${stage.victim}/32: 2.01 Created`);
    await Promise.all([
      until(stage, (rates) => rates.attack === 0 && rates.visitors > 0, within()).then((relieved) =>
        timeline.tell('victim', `before ${describe(flooded)}; now ${describe(relieved)}`),
      ),
      agent
        .status('mitigated', within())
        .then(() => timeline.tell('agent', 'notified: status 2, attack-successfully-mitigated')),
    ]);
    const counted = await agent.event((event) => Number(event.packetsDropped ?? 0) > 0, within());
    timeline.tell('agent', `notified: ${counted.packetsDropped ?? ''} packets dropped so far`);

    await stage.stopAttack();
    timeline.tell('attacker', 'gives up');
    agent.order({ order: 'withdraw', mid: MID });
    const deleted = await agent.next('answered', within());
    if (deleted.code !== '2.02') throw new Error(`the withdrawal was answered ${JSON.stringify(deleted)}`);
    timeline.tell('agent', `DELETE mitigate mid=${MID}: 2.02 Deleted`);
    await agent.status('activeButTerminating', within());
    timeline.tell('agent', 'notified: status 5, active but terminating, for 5 seconds');
    await agent.status('terminated', within());
    timeline.tell('agent', 'notified: status 6, attack-mitigation-terminated');

    while (await stage.hasFilters()) await sleep(SAMPLE_MS, undefined, { signal: within() });
    timeline.tell('mitigator', 'holds no filter any more');
    const free = await until(stage, (rates) => rates.visitors > 0, within());
    timeline.tell('victim', `quiet again: ${free.visitors} packets/s of visitors`);
  } finally {
    await agent.stop();
  }
}

class Agent {
  readonly #program: Program;
  #next = 0;

  constructor(stage: Stage, home: Home, address: string) {
    const colon = address.lastIndexOf(':');
    const credential = join(home.clients, 'demo');
    this.#program = new Program(
      join(import.meta.dirname, 'agent.ts'),
      [
        `--host=${address.slice(0, colon)}`,
        `--port=${address.slice(colon + 1)}`,
        `--ca=${join(home.pki, 'ca.pem')}`,
        `--cert=${credential}.pem`,
        `--key=${credential}.key`,
      ],
      { namespace: stage.agentNamespace },
    );
  }

  order(order: AgentOrder): void {
    this.#program.tell(JSON.stringify(order));
  }

  /** The next event of that kind; those before it are passed over. */
  async next<Kind extends AgentEvent['event']>(
    kind: Kind,
    signal: AbortSignal,
  ): Promise<Extract<AgentEvent, { event: Kind }>> {
    const { line, next } = await this.#program.line(
      (text) => eventOf(text).event === kind,
      this.#next,
      signal,
    );
    this.#next = next;
    return eventOf(line) as Extract<AgentEvent, { event: Kind }>;
  }

  async event(
    matches: (event: Extract<AgentEvent, { event: 'notified' }>) => boolean,
    signal: AbortSignal,
  ): Promise<Extract<AgentEvent, { event: 'notified' }>> {
    for (;;) {
      const event = await this.next('notified', signal);
      if (matches(event)) return event;
    }
  }

  async status(status: string, signal: AbortSignal): Promise<void> {
    await this.event((event) => event.status === status, signal);
  }

  async stop(): Promise<void> {
    await this.#program.stop();
  }
}

const eventOf = (line: string): AgentEvent => JSON.parse(line) as AgentEvent;

/** Measures until it is as it should be. */
async function until(stage: Stage, isSo: (rates: Rates) => boolean, signal: AbortSignal): Promise<Rates> {
  for (;;) {
    await sleep(SAMPLE_MS, undefined, { signal });
    const rates = await stage.measure();
    if (isSo(rates)) return rates;
  }
}

const describe = ({ attack, visitors }: Rates): string =>
  `${attack + visitors} packets/s (${attack} of the attack, ${visitors} of visitors)`;
