/** Something threw that should not have: it is told to whoever listens, and never lost. */
interface Fault {
  readonly type: 'fault';
  readonly remote: string;
  readonly error: unknown;
}

/** Without a tracer it becomes a warning of the process: seen, and no peer's way to end the service. */
export function reportFault(
  onTrace: ((event: Fault) => void) | undefined,
  remote: string,
  error: unknown,
): void {
  if (onTrace !== undefined) onTrace({ type: 'fault', remote, error });
  else process.emitWarning(error instanceof Error ? error : new Error(String(error)));
}
