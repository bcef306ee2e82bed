/**
 * Which runs to make: 50, or 1,000 with TOCSIN_LONG=1. TOCSIN_SEED=n makes the one run that a failure named.
 */
export function chosenSeeds(): readonly number[] {
  const one = process.env['TOCSIN_SEED'];
  if (one !== undefined) return [Number(one)];
  const count = process.env['TOCSIN_LONG'] === '1' ? 1_000 : 50;
  return Array.from({ length: count }, (_, index) => index + 1);
}
