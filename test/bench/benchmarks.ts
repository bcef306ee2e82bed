import type { Benchmark } from './figure.ts';
import { flood } from './flood.ts';
import { handshakes } from './handshakes.ts';
import { killNine } from './kill-nine.ts';
import { loss } from './loss.ts';
import { memory } from './memory.ts';
import { putMitigate } from './put-mitigate.ts';
import { route } from './route.ts';

/** In the order in which they run. */
export const BENCHMARKS: readonly Benchmark[] = [
  handshakes,
  flood,
  loss,
  memory,
  putMitigate,
  route,
  killNine,
];
