/**
 * The event is what the port says, or the invocation fails: an invoker that sends something else is broken or is not
 * ours, and nothing has been done.
 */
import type { MiddlewareObj } from '@middy/core';
import { type ZodType, z } from 'zod';

export class InvalidEventError extends Error {
  override readonly name = 'InvalidEventError';
}

export function validated<Event>(schema: ZodType<Event>): MiddlewareObj<Event, unknown> {
  return {
    before: (request) => {
      const parsed = schema.safeParse(request.event);
      if (!parsed.success) throw new InvalidEventError(z.prettifyError(parsed.error));
      request.event = parsed.data;
    },
  };
}
