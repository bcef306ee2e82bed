/** A failed invocation is one log line with the whole chain of causes; the invoker sees the error itself. */
import type { MiddlewareObj } from '@middy/core';
import { logLine } from './log-line.ts';

export function loggedFailure(functionName: string): MiddlewareObj {
  return {
    onError: ({ error }) => {
      logLine({ level: 'error', function: functionName, errors: causesOf(error) });
    },
  };
}

function causesOf(error: unknown): string[] {
  const causes: string[] = [];
  for (let cause = error; cause !== undefined && causes.length < 8; ) {
    if (!(cause instanceof Error)) return [...causes, JSON.stringify(cause)];
    causes.push(`${cause.name}: ${cause.message}`);
    cause = cause.cause;
  }
  return causes;
}
