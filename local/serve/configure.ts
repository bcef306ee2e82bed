/** Reads config.yaml, if there is one, and brings the store to it. */
import { existsSync, readFileSync } from 'node:fs';
import type { Store } from '#core/ports/store.ts';
import { applyConfig } from '../config/apply.ts';
import { type ConfigProblem, formatProblem, type ReadConfig, readConfig } from '../config/read.ts';
import type { Config } from '../config/schema.ts';
import type { Home } from '../home.ts';
import { OperatorError } from '../operator-error.ts';

/** Throws `OperatorError`: every problem with its place and the fix, a line each. */
export function loadConfig(home: Home): ReadConfig {
  const read = readConfig(existsSync(home.config) ? readFileSync(home.config, 'utf8') : '');
  if (!read.ok) throw refused(home, read.error);
  return read.value;
}

/** Rejects like `loadConfig`, also for what does not fit what the store holds. */
export async function configure(home: Home, store: Store): Promise<Config> {
  const read = loadConfig(home);
  const applied = await applyConfig(store, read);
  if (!applied.ok) throw refused(home, applied.error);
  return read.config;
}

const refused = (home: Home, problems: readonly ConfigProblem[]): OperatorError =>
  new OperatorError(problems.map((problem) => formatProblem(home.config, problem)).join('\n'));
