/** The database of a home, as the provider and the operator's commands both open it. */
import { systemClock } from '#adapters/clock/system-clock.ts';
import { openSqlite, type SqliteParts } from '#adapters/sqlite/store.ts';
import type { Store } from '#core/ports/store.ts';
import { type Home, homeOf, keepSecret, makeHome } from '../home.ts';

const SECRET_KEY_BYTES = 32;

export async function openHomeStore(home: Home): Promise<SqliteParts> {
  makeHome(home);
  return openSqlite({
    path: home.database,
    clock: systemClock,
    secretKey: keepSecret(home.secretKey, SECRET_KEY_BYTES),
  });
}

/** Runs `work` on the store of $TOCSIN_HOME and closes it again, whatever happens. */
export async function withStore<T>(work: (store: Store, home: Home) => Promise<T>): Promise<T> {
  const home = homeOf(process.env);
  const parts = await openHomeStore(home);
  try {
    return await work(parts.store, home);
  } finally {
    await parts.close();
  }
}
