import type { Benchmark } from './figure.ts';
import { flood } from './flood.ts';
import { handshakes } from './handshakes.ts';
import { killNine } from './kill-nine.ts';
import { memory } from './memory.ts';
import { putMitigate } from './put-mitigate.ts';
import { route } from './route.ts';

/** In the order in which they run. */
export const BENCHMARKS: readonly Benchmark[] = [handshakes, flood, memory, putMitigate, route, killNine];
