/** Any other mitigator, over signed HTTPS requests. */
import { readFileSync } from 'node:fs';
import type { EpochSeconds } from '#core/base/time.ts';
import type { Plan } from '#core/plan/plan.ts';
import type { Clock } from '#core/ports/clock.ts';
import type { Collected, EnsureResult, Mitigator } from '#core/ports/mitigator.ts';
import type { WebhookConfig } from './config.ts';
import { bodyOf, deliveryOf, readAnswer, type WebhookAnswer, type WebhookEvent } from './messages.ts';
import { createSender, ExchangeError, type Reply } from './sender.ts';
import { sign } from './signature.ts';

const SHORTEST_SECRET = 16;

/** What the receiver said last; lost with the process, and then asked again with the same delivery id. */
interface Known {
  readonly generation: number;
  readonly answer: WebhookAnswer;
  readonly askedAt: EpochSeconds;
  readonly expiresAt: EpochSeconds | undefined;
}

export interface WebhookDeps {
  readonly clock: Pick<Clock, 'epochSeconds'>;
  /** For the whole exchange; 5 s by default. */
  readonly timeoutMs?: number;
}

/** Throws when a file that the configuration names cannot be read, or holds too short a secret. */
export function createWebhookMitigator(name: string, config: WebhookConfig, deps: WebhookDeps): Mitigator {
  const { clock, timeoutMs } = deps;
  const secrets = [config.secretFile, config.previousSecretFile].flatMap((file) =>
    file === undefined ? [] : [readSecret(file)],
  );
  const receiver = new URL(config.url);
  const send = createSender({
    allowPrivate: config.allowPrivate,
    ...(config.caFile === undefined ? {} : { ca: readFileSync(config.caFile, 'utf8') }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });
  const known = new Map<string, Known>();
  let trouble = '';

  const ask = async (event: WebhookEvent, url: URL, body: string): Promise<Reply> => {
    const method = event === 'mitigation.status' ? 'GET' : 'POST';
    const headers = {
      Accept: 'application/json',
      ...(method === 'POST' ? { 'Content-Type': 'application/json' } : {}),
      'X-Dots-Event': event,
      'X-Dots-Delivery': deliveryOf(name, event, body),
      'X-Dots-Signature': sign(secrets, body, clock.epochSeconds()),
    };
    try {
      const reply = await send({ method, url, headers, body });
      trouble = '';
      return reply;
    } catch (error) {
      trouble = (error as Error).message;
      throw error;
    }
  };
  /** Takes the answer in; undefined when the receiver has nothing of the kind. */
  const learn = (plan: Plan, reply: Reply, expiresAt: EpochSeconds | undefined): Known | undefined => {
    if (isGone(reply)) {
      known.delete(keyOf(plan));
      return undefined;
    }
    if (!isSuccess(reply)) throw new ExchangeError(`${receiver.host} answers ${reply.status}`);
    const answer = readAnswer(reply.body, plan, receiver);
    const one = { generation: plan.generation, answer, askedAt: clock.epochSeconds(), expiresAt };
    known.set(keyOf(plan), one);
    return one;
  };

  return {
    name,
    capabilities: {
      families: [4, 6],
      ports: true,
      protocols: true,
      profiles: ['divert', 'limit', 'reflectors', 'blackhole'],
      counters: 'none',
      maxRules: 10_000,
    },
    keyOf,

    async ensure(plan) {
      const expiresAt = plan.lifetimeSeconds < 0 ? undefined : clock.epochSeconds() + plan.leaseSeconds;
      const reply = await ask('mitigation.ensure', receiver, bodyOf(plan, expiresAt));
      const learnt = learn(plan, reply, expiresAt);
      if (learnt === undefined) throw new ExchangeError(`${receiver.host} answers ${reply.status}`);
      return resultOf(learnt.answer);
    },

    async remove(plan) {
      const reply = await ask('mitigation.remove', receiver, bodyOf(plan));
      if (!isSuccess(reply) && !isGone(reply))
        throw new ExchangeError(`${receiver.host} answers ${reply.status}`);
      known.delete(keyOf(plan));
    },

    async collect(plan) {
      const last = known.get(keyOf(plan));
      if (last?.generation !== plan.generation) return undefined;
      const { statusUrl, state } = last.answer;
      if (clock.epochSeconds() - last.askedAt < config.pollSeconds) return collectedOf(last, clock);
      // Without a place to ask, what is pending is asked for again, what is settled stays as it was said.
      if (statusUrl === undefined) return state === 'pending' ? undefined : collectedOf(last, clock);
      const polled = learn(plan, await ask('mitigation.status', statusUrl, ''), last.expiresAt);
      if (polled === undefined) return undefined;
      // An answer may leave out where to ask the next time.
      const next = { ...polled, answer: { statusUrl, ...polled.answer } };
      known.set(keyOf(plan), next);
      return collectedOf(next, clock);
    },

    // A receiver cannot be asked what it holds: it goes by expiresAt.
    async *list() {},
    removeInstalled: () => Promise.resolve(),

    health: () =>
      Promise.resolve(
        trouble === ''
          ? { healthy: true, detail: `${known.size} requests at ${receiver.host}` }
          : { healthy: false, detail: `${receiver.host}: ${trouble}` },
      ),

    close: () => Promise.resolve(),
  };
}

function resultOf({ state, reason, actualTargets }: WebhookAnswer): EnsureResult {
  return { state, actualTargets, ...(reason === undefined ? {} : { reason }) };
}

function collectedOf({ answer, expiresAt }: Known, clock: Pick<Clock, 'epochSeconds'>): Collected {
  const { state, reason, counters, actualTargets } = answer;
  return {
    state,
    actualTargets,
    ...(reason === undefined ? {} : { reason }),
    ...(counters === undefined ? {} : { counters }),
    ...(expiresAt === undefined ? {} : { leaseSeconds: Math.max(0, expiresAt - clock.epochSeconds()) }),
  };
}

function readSecret(file: string): string {
  const secret = readFileSync(file, 'utf8').trim();
  if (secret.length < SHORTEST_SECRET)
    throw new Error(
      `${file} holds a secret of ${secret.length} characters: at least ${SHORTEST_SECRET} are needed`,
    );
  return secret;
}

const keyOf = ({ key: { domainId, cuid, mid } }: Plan): string => `${domainId}/${cuid}/${mid}`;

const isSuccess = ({ status }: Reply): boolean => status >= 200 && status < 300;

/** The receiver has nothing of the kind (any more). */
const isGone = ({ status }: Reply): boolean => status === 404 || status === 410;
