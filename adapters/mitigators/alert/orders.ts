/** Work orders for operators: one small file each, so that they outlive a restart and any command line can answer them. */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Profile } from '#core/model/domain.ts';
import type { MitigationKey } from '#core/model/mitigation.ts';
import type { Target } from '#core/model/scope.ts';

export interface Order {
  readonly mitigator: string;
  readonly domainId: string;
  readonly cuid: string;
  readonly mid: number;
  /** An answer counts for this generation of the mitigation alone. */
  readonly generation: number;
  readonly profile: Profile;
  readonly targets: readonly Target[];
  /** -1 is unlimited. */
  readonly lifetimeSeconds: number;
  readonly state: 'open' | 'confirmed' | 'refused';
  /** The operator's, on a refusal: the client's domain is not told more than this. */
  readonly reason?: string;
}

const orderSchema = z.object({
  mitigator: z.string(),
  domainId: z.string(),
  cuid: z.string(),
  mid: z.int(),
  generation: z.int(),
  profile: z.enum(['divert', 'limit', 'reflectors', 'acl-only', 'blackhole']),
  targets: z.array(
    z.object({
      prefix: z.string(),
      protocols: z.array(z.int()),
      portRanges: z.array(z.object({ lowerPort: z.int(), upperPort: z.int().exactOptional() })),
    }),
  ),
  lifetimeSeconds: z.int(),
  state: z.enum(['open', 'confirmed', 'refused']),
  reason: z.string().exactOptional(),
});

export type OrderKey = { readonly domainId: string; readonly cuid: string; readonly mid: number };

export interface Orders {
  /** Replaces what was there for the same mitigator and mitigation. */
  put(order: Order): Promise<void>;
  get(mitigator: string, key: OrderKey): Promise<Order | undefined>;
  delete(mitigator: string, key: OrderKey): Promise<void>;
  /** Every order, by domain, cuid and mid. */
  list(): Promise<readonly Order[]>;
}

/** Orders in `folder`, made 0700 when the first is written. Rejects with the file's name when one is damaged. */
export function openOrders(folder: string): Orders {
  const read = async (file: string): Promise<Order | undefined> => {
    let text: string;
    try {
      text = await readFile(join(folder, file), 'utf8');
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
    try {
      return orderSchema.parse(JSON.parse(text));
    } catch (cause) {
      throw new Error(`${join(folder, file)} is no work order: delete it, it is written again`, { cause });
    }
  };
  return {
    async put(order) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const file = join(folder, fileOf(order.mitigator, order));
      const draft = `${file}.${randomUUID()}`;
      await writeFile(draft, `${JSON.stringify(order, undefined, 2)}\n`, { mode: 0o600 });
      await rename(draft, file);
    },
    get: (mitigator, key) => read(fileOf(mitigator, key)),
    delete: (mitigator, key) => rm(join(folder, fileOf(mitigator, key)), { force: true }),
    async list() {
      const files = await readdir(folder).catch((error: unknown) => {
        if (isMissing(error)) return [];
        throw error;
      });
      const orders = await Promise.all(files.filter((file) => file.endsWith('.json')).map(read));
      return orders
        .filter((order) => order !== undefined)
        .sort((left, right) => compare(sortKey(left), sortKey(right)));
    },
  };
}

/** Records that operators have brought the mitigation about. Resolves to the orders answered: none, when there was none. */
export const confirmOrder = (orders: Orders, key: OrderKey): Promise<readonly Order[]> =>
  answer(orders, key, { state: 'confirmed' });

/** Records that they will not; the reason is reported. */
export const refuseOrder = (orders: Orders, key: OrderKey, reason: string): Promise<readonly Order[]> =>
  answer(orders, key, { state: 'refused', reason });

async function answer(
  orders: Orders,
  key: OrderKey,
  given: Pick<Order, 'state' | 'reason'>,
): Promise<readonly Order[]> {
  const asked = (await orders.list()).filter(
    ({ domainId, cuid, mid }) => domainId === key.domainId && cuid === key.cuid && mid === key.mid,
  );
  const answered = asked.map((order) => ({ ...order, ...given }));
  for (const order of answered) await orders.put(order);
  return answered;
}

/** A cuid may hold what a file name may not. */
function fileOf(mitigator: string, { domainId, cuid, mid }: OrderKey | MitigationKey): string {
  const hash = createHash('sha256').update(`${mitigator}\n${domainId}\n${cuid}`).digest('hex').slice(0, 24);
  return `${domainId}-${hash}-${mid}.json`;
}

const sortKey = ({ domainId, cuid, mid }: Order): string =>
  `${domainId}\n${cuid}\n${mid.toString().padStart(10, '0')}`;

const compare = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0);

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';
