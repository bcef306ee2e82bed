/**
 * The port Resolver over plain DNS to a resolver on this machine. RFC 9132 §11 asks for protected DNS, because whoever
 * forges an answer chooses what is mitigated; plain DNS therefore never leaves the machine.
 */
import { Resolver as DnsResolver } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';
import { normalizeName } from '#core/mitigation/domain-name.ts';
import type { Clock } from '#core/ports/clock.ts';
import type { Resolver } from '#core/ports/resolver.ts';
import { hostPrefix } from './table-resolver.ts';

export interface DnsResolverOptions {
  /** Name servers on this machine, `127.0.0.1`, `127.0.0.53:5353` or `[::1]:53`. */
  readonly servers: readonly string[];
  readonly clock: Pick<Clock, 'monotonic'>;
  /** For one try; there are two. */
  readonly timeoutMs?: number;
}

/** What one look-up of one record type can end in. */
type Lookup =
  | { readonly found: readonly { readonly address: string; readonly ttl: number }[] }
  /** The name server could not tell. */
  | 'failed';

interface Known {
  readonly prefixes: readonly string[];
  readonly validUntil: number;
}

const DEFAULT_TIMEOUT_MS = 700;

/** Bounds of what an answer's TTL is taken for, in seconds. */
const SHORTEST_TTL = 1;
const LONGEST_TTL = 86_400;

const MOST_NAMES = 10_000;

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/**
 * Answers are kept for their TTL. When a name cannot be looked up again, its last valid addresses are kept: an attack
 * on the name servers must not end a mitigation. That a name does not exist is an answer, and forgets them.
 * Throws for a name server that is not on this machine.
 */
export function createDnsResolver(options: DnsResolverOptions): Resolver {
  options.servers.forEach(requireLoopback);
  const { clock } = options;
  const dns = new DnsResolver({ timeout: options.timeoutMs ?? DEFAULT_TIMEOUT_MS, tries: 2 });
  dns.setServers(options.servers);
  const known = new Map<string, Known>();
  const asking = new Map<string, Promise<Known | undefined>>();

  const ask = async (name: string): Promise<Known | undefined> => {
    const lookups = await Promise.all([
      lookup(() => dns.resolve4(name, { ttl: true })),
      lookup(() => dns.resolve6(name, { ttl: true })),
    ]);
    const records = lookups.flatMap((each) => (each === 'failed' ? [] : each.found));
    // Half an answer would narrow the scope: with one failed look-up the last complete answer is better.
    if (lookups.includes('failed') && (records.length === 0 || known.has(name))) return known.get(name);
    known.delete(name);
    if (records.length === 0) return undefined;
    const ttl = Math.min(...records.map((record) => record.ttl), LONGEST_TTL);
    const validUntil = clock.monotonic() + Math.max(ttl, SHORTEST_TTL) * 1000;
    const answer = { prefixes: records.map((record) => hostPrefix(record.address)), validUntil };
    known.set(name, answer);
    const [oldest] = known.keys();
    if (known.size > MOST_NAMES && oldest !== undefined) known.delete(oldest);
    return answer;
  };

  const current = (name: string): Known | undefined => {
    const answer = known.get(name);
    return answer !== undefined && answer.validUntil > clock.monotonic() ? answer : undefined;
  };

  return {
    resolve: async (name) => {
      const key = normalizeName(name);
      const answer = current(key) ?? (await once(asking, key, () => ask(key)));
      if (answer === undefined) return undefined;
      const leftMs = Math.max(0, answer.validUntil - clock.monotonic());
      return { prefixes: answer.prefixes, ttlSeconds: Math.floor(leftMs / 1000) };
    },
  };
}

/** Those who ask for the same thing at the same time share one answer. */
async function once<T>(running: Map<string, Promise<T>>, key: string, start: () => Promise<T>): Promise<T> {
  const before = running.get(key);
  if (before !== undefined) return before;
  const promise = start().finally(() => running.delete(key));
  running.set(key, promise);
  return promise;
}

async function lookup(
  query: () => Promise<readonly { readonly address: string; readonly ttl: number }[]>,
): Promise<Lookup> {
  try {
    return { found: await query() };
  } catch (error) {
    const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
    if (code === 'ENODATA' || code === 'ENOTFOUND') return { found: [] };
    // SERVFAIL, REFUSED, no answer: the port tells all of them as "cannot be resolved", or by the last valid answer.
    if (typeof code === 'string') return 'failed';
    throw error;
  }
}

function requireLoopback(server: string): void {
  const bracketed = /^\[([^\]]+)\](?::[0-9]+)?$/.exec(server)?.[1];
  const host = bracketed ?? (isIP(server) === 6 ? server : server.replace(/:[0-9]+$/, ''));
  const family = isIP(host);
  if (family !== 0 && LOOPBACK.check(host, family === 6 ? 'ipv6' : 'ipv4')) return;
  throw new Error(
    `resolver ${server} is not on this machine: plain DNS can be forged on the way (RFC 9132 §11). ` +
      'Name a validating resolver on 127.0.0.0/8 or ::1, e.g. 127.0.0.53, that forwards over TLS.',
  );
}
