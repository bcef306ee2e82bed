/** ready.json: where the running provider listens. It is there exactly while all listeners are up. */
import { readFileSync, rmSync } from 'node:fs';
import { z } from 'zod';
import { type Home, writeFileWhole } from '../home.ts';

const readySchema = z.object({
  signal: z.object({ udp: z.string(), tcp: z.string() }),
  data: z.string(),
  admin: z.string(),
  pid: z.number(),
});

export type Ready = Readonly<z.infer<typeof readySchema>>;

export function writeReady(home: Home, ready: Ready): void {
  writeFileWhole(home.ready, `${JSON.stringify(ready)}\n`, 0o600);
}

export function removeReady(home: Home): void {
  rmSync(home.ready, { force: true });
}

/** Undefined when no provider is running in this home. */
export function readReady(home: Home): Ready | undefined {
  let text: string;
  try {
    text = readFileSync(home.ready, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  return readySchema.parse(JSON.parse(text));
}
