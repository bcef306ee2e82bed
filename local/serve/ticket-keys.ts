/** Keys of session tickets: kept over restarts so that clients resume, and drawn anew every day so that old ones are worth nothing. */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { writeFileWhole } from '../home.ts';
import { OperatorError } from '../operator-error.ts';
import type { Health } from './health.ts';
import { type Loop, repeat } from './loop.ts';

const KEY_BYTES = 80;
const DAY_MS = 86_400_000;
const CHECK_EVERY_MS = 600_000;

/** The current key, then the one before it, which is still accepted. Draws a new one when the current is a day old. */
export function currentTicketKeys(path: string, now: number): readonly Uint8Array[] {
  const kept = readKeys(path);
  if (kept.length > 0 && now - statSync(path).mtimeMs < DAY_MS) return kept;
  const keys = [new Uint8Array(randomBytes(KEY_BYTES)), ...kept.slice(0, 1)];
  writeFileWhole(path, Buffer.concat(keys), 0o600);
  return keys;
}

/** Gives the listeners their keys, and new ones as days go by. */
export function rotateTicketKeys(
  path: string,
  listeners: readonly { setTicketKeys(keys: readonly Uint8Array[]): void }[],
  health: Health,
): Loop {
  let given = '';
  const give = (): void => {
    const keys = currentTicketKeys(path, Date.now());
    const current = Buffer.from(keys[0] ?? []).toString('hex');
    if (current !== given) for (const listener of listeners) listener.setTicketKeys(keys);
    given = current;
  };
  return repeat(() => health.watch('ticket keys', give), CHECK_EVERY_MS);
}

function readKeys(path: string): readonly Uint8Array[] {
  if (!existsSync(path)) return [];
  const bytes = readFileSync(path);
  if (bytes.length % KEY_BYTES !== 0)
    throw new OperatorError(`${path} is damaged: remove it, and new keys are drawn`);
  return Array.from({ length: bytes.length / KEY_BYTES }, (_, index) =>
    bytes.subarray(index * KEY_BYTES, (index + 1) * KEY_BYTES),
  );
}
