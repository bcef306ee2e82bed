/** One measured figure. Times vary from machine to machine; a ratio against a peer of the same run travels better. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** The same operation, measured in the same run with the same load client. */
  readonly peer?: { readonly name: string; readonly value: number };
  /** How often ours goes into the peer's: above 1 is more of the unit. */
  readonly ratio?: number;
  /** The budget, in words, and whether this run met it. */
  readonly target?: { readonly says: string; readonly met: boolean };
}

export interface Benchmark {
  readonly name: string;
  /** One line for `--help`. */
  readonly about: string;
  run(progress: (text: string) => void): Promise<readonly Figure[]>;
}

/** Three significant digits: more would be noise. */
export const rounded = (value: number): number => Number(value.toPrecision(3));

export function percentile(sorted: readonly number[], fraction: number): number {
  const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * fraction))];
  if (value === undefined) throw new Error('a percentile of nothing');
  return value;
}
