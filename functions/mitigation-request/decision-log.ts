/** One line per decision on a client's request; what the sweeper settles is in the audit. */
import type { MiddlewareObj } from '@middy/core';
import type { Answer } from '#core/mitigation/answer.ts';
import { isRequested, type RequestedCommand } from '#core/mitigation/command.ts';
import type { MitigationRequestEvent, MitigationRequestResult } from '#core/ports/mitigation-request.ts';
import { logLine } from '../middleware/log-line.ts';

export function decisionLog(
  write: typeof logLine = logLine,
): MiddlewareObj<MitigationRequestEvent, MitigationRequestResult> {
  return {
    after: ({ event, response }) => {
      for (const [index, command] of event.commands.entries()) {
        const answer = response?.answers[index];
        if (answer !== undefined && isRequested(command)) {
          write({ level: 'info', domainId: event.domainId, ...described(command), ...outcome(answer) });
        }
      }
    },
  };
}

function described(command: RequestedCommand): Readonly<Record<string, unknown>> {
  const { cuid, identityId, source } = command.requester;
  const mid = command.type === 'signal-lost' ? {} : { mid: command.mid };
  return { command: command.type, identityId, cuid, ...mid, source };
}

function outcome(answer: Answer): Readonly<Record<string, unknown>> {
  return answer.result === 'refused'
    ? { result: answer.result, refusal: answer.refusal }
    : { result: answer.result };
}
