/** The provider's log: one JSON object a line, on standard error. */
export type Log = (event: { readonly event: string } & Readonly<Record<string, unknown>>) => void;

export const logToStandardError: Log = (event) =>
  void process.stderr.write(`${JSON.stringify({ at: new Date().toISOString(), ...event }, asText)}\n`);

/** What JSON has no form for. */
function asText(_key: string, value: unknown): unknown {
  if (value instanceof Error) return value.message;
  return typeof value === 'bigint' ? value.toString() : value;
}
