/** What is posted and what may be answered. 64-bit counts are decimal text: JSON's numbers do not hold them. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { EpochSeconds } from '#core/base/time.ts';
import { formatIpPrefix, overlapsPrefix, parseIpPrefix } from '#core/model/ip-prefix.ts';
import type { Counters } from '#core/model/mitigation.ts';
import type { Target } from '#core/model/scope.ts';
import type { Plan } from '#core/plan/plan.ts';

export type WebhookEvent = 'mitigation.ensure' | 'mitigation.remove' | 'mitigation.status';

/** `expiresAt`: when the request is over unless it is made again; absent when it has no end. */
export function bodyOf(
  { key, generation, profile, targets, lifetimeSeconds }: Plan,
  expiresAt?: EpochSeconds,
): string {
  return JSON.stringify({
    version: 1,
    domain: key.domainId,
    cuid: key.cuid,
    mid: key.mid,
    generation,
    profile,
    scope: { targets: targets.map(toWire) },
    lifetime: lifetimeSeconds,
    expiresAt,
  });
}

/** The same for the same request, so that a receiver can tell a repetition from a new one. */
export const deliveryOf = (name: string, event: WebhookEvent, body: string): string =>
  createHash('sha256').update(`${name}\n${event}\n${body}`).digest('hex').slice(0, 32);

const UINT64_MAX = 0xffff_ffff_ffff_ffffn;

const uint64 = z
  .string()
  .regex(/^[0-9]{1,20}$/)
  .transform((text) => BigInt(text))
  .refine((value) => value <= UINT64_MAX);

const port = z.int().min(0).max(65_535);

const wireTarget = z.object({
  prefix: z.string().refine((text) => parseIpPrefix(text) !== undefined),
  protocols: z.array(z.int().min(0).max(255)).default([]),
  ports: z.array(z.tuple([port, port])).default([]),
});

const answerSchema = z.object({
  state: z.enum(['active', 'pending', 'refused']),
  reason: z.string().exactOptional(),
  actualScope: z.object({ targets: z.array(wireTarget).max(10_000) }).exactOptional(),
  statusUrl: z.url().exactOptional(),
  metrics: z.object({ bytesDropped: uint64, pktsDropped: uint64 }).exactOptional(),
});

export interface WebhookAnswer {
  readonly state: 'active' | 'pending' | 'refused';
  readonly reason?: string;
  readonly actualTargets: readonly Target[];
  readonly statusUrl?: URL;
  readonly counters?: Counters;
}

/** Throws, with what is wrong, when the receiver does not keep to the contract. */
export function readAnswer(text: string, plan: Plan, receiver: URL): WebhookAnswer {
  const parsed = answerSchema.safeParse(parseJson(text));
  if (!parsed.success) throw new Error(`the receiver's answer is wrong: ${z.prettifyError(parsed.error)}`);
  const { state, reason, actualScope, statusUrl, metrics } = parsed.data;
  const counters = metrics && { bytesDropped: metrics.bytesDropped, packetsDropped: metrics.pktsDropped };
  const url = statusUrl === undefined ? undefined : new URL(statusUrl);
  if (url !== undefined && url.origin !== receiver.origin)
    throw new Error(`the receiver's statusUrl is at ${url.origin}, not its own`);
  return {
    state,
    actualTargets:
      actualScope === undefined ? plan.targets : actualScope.targets.map((t) => fromWire(t, plan)),
    ...(reason === undefined || reason === '' ? {} : { reason: printable(reason) }),
    ...(url === undefined ? {} : { statusUrl: url }),
    ...(counters === undefined ? {} : { counters }),
  };
}

function toWire({ prefix, protocols, portRanges }: Target): object {
  return {
    prefix,
    protocols,
    ports: portRanges.map(({ lowerPort, upperPort = lowerPort }) => [lowerPort, upperPort]),
  };
}

/** Wider or narrower than asked is told; elsewhere is a mistake that must not reach the client. */
function fromWire({ prefix, protocols, ports }: z.output<typeof wireTarget>, plan: Plan): Target {
  const actual = parseIpPrefix(prefix);
  const isAsked = plan.targets.some((target) => {
    const asked = parseIpPrefix(target.prefix);
    return asked !== undefined && actual !== undefined && overlapsPrefix(asked, actual);
  });
  if (actual === undefined || !isAsked)
    throw new Error(`the receiver acts on ${prefix}, which nobody asked for`);
  return {
    prefix: formatIpPrefix(actual),
    protocols,
    portRanges: ports.map(([lowerPort, upperPort]) => ({ lowerPort, upperPort })),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error("the receiver's answer is no JSON", { cause });
  }
}

const printable = (text: string): string =>
  text.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, ' ').slice(0, 200);
