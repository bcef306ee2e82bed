/** Names as DNS compares them: without case, without the final dot (RFC 1034 §3.1). */

export function normalizeName(name: string): string {
  const lower = name.toLowerCase();
  return lower.endsWith('.') ? lower.slice(0, -1) : lower;
}

/** True when `name` is `owned` or lies below it; both normalized. */
export function isWithinName(name: string, owned: string): boolean {
  return owned !== '' && (name === owned || name.endsWith(`.${owned}`));
}
