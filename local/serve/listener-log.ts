/** What of the listeners' traces an operator wants to read: peers that could not prove themselves, and faults. */
import type { DtlsTrace } from '#adapters/dtls/trace.ts';
import type { TlsTrace } from '#adapters/tls/trace.ts';
import type { Clock } from '#core/ports/clock.ts';
import { RateBucket } from '#core/server/rate-limit.ts';
import type { Log } from './log.ts';

/** Strangers cause failed handshakes at will: more than this are counted in /metrics and not written. */
const FAILURES = { requestsPerSecond: 1, burst: 20 };

/** Sessions that open and close are the signal server's to log, with the identity that is then known. */
export function logListeners(
  log: Log,
  clock: Pick<Clock, 'monotonic'>,
): (event: DtlsTrace | TlsTrace) => void {
  const failures = new RateBucket(FAILURES, clock.monotonic());
  return (event) => {
    switch (event.type) {
      case 'handshake-failed':
        if (failures.take(clock.monotonic()) === 0)
          log({ event: 'handshake-failed', remote: event.remote, reason: event.reason });
        return;
      case 'fault':
        log({ event: 'listener-fault', remote: event.remote, stack: stackOf(event.error) });
        return;
      case 'socket-error':
        log({ event: 'socket-error', error: event.error });
        return;
      case 'opened':
      case 'closed':
      case 'dropped':
        return;
    }
  };
}

const stackOf = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : String(error);
