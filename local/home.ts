/** $TOCSIN_HOME: everything one machine keeps, in one folder that only its owner can enter. */
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { OperatorError } from './operator-error.ts';

export interface Home {
  readonly folder: string;
  readonly database: string;
  readonly config: string;
  readonly ready: string;
  readonly ticketKeys: string;
  /** Seals the pre-shared keys in the database. */
  readonly secretKey: string;
  readonly lock: string;
  /** Work orders for operators, one file each. */
  readonly orders: string;
  readonly pki: string;
  readonly clients: string;
}

/** The paths, without touching the disk. `./.tocsin` unless the environment says otherwise. */
export function homeOf(environment: Readonly<Record<string, string | undefined>>): Home {
  const named = environment['TOCSIN_HOME'];
  return homeAt(named === undefined || named === '' ? '.tocsin' : named);
}

export function homeAt(path: string): Home {
  const folder = resolve(path);
  const inside = (...names: string[]): string => join(folder, ...names);
  return {
    folder,
    database: inside('tocsin.db'),
    config: inside('config.yaml'),
    ready: inside('ready.json'),
    ticketKeys: inside('ticket-keys'),
    secretKey: inside('secret-key'),
    lock: inside('serve.lock'),
    orders: inside('orders'),
    pki: inside('pki'),
    clients: inside('pki', 'clients'),
  };
}

/** Makes the folder when it is missing and takes it away from everybody else. */
export function makeHome(home: Home): void {
  mkdirSync(home.folder, { recursive: true, mode: 0o700 });
  chmodSync(home.folder, 0o700);
}

/** A secret of `bytes` random bytes, drawn on first use and then kept. */
export function keepSecret(path: string, bytes: number): Uint8Array {
  if (!existsSync(path)) writeFileWhole(path, randomBytes(bytes), 0o600);
  const secret = readFileSync(path);
  if (secret.length !== bytes)
    throw new OperatorError(`${path} holds ${secret.length} bytes instead of ${bytes}`);
  return secret;
}

/** Readers see the old text or the new one, never half of it. */
export function writeFileWhole(path: string, text: string | Uint8Array, mode: number): void {
  const temporary = `${path}.${process.pid}.new`;
  try {
    writeFileSync(temporary, text, { mode });
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}
