/** Outcomes and mitigations in words. */
import type { MitigationScope, PortRange } from '#core/model/scope.ts';
import type { ReceivedConflict } from '#core/signal/conflict-codec.ts';
import type { ReceivedStatusEntry } from '#core/signal/mitigation-status-codec.ts';
import type { Answered } from '../client/dots-client.ts';
import { CommandFailed } from './command-failed.ts';
import { CONFLICT_CAUSE_NAME, CONFLICT_STATUS_NAME, conflictJson, statusName } from './rfc-json.ts';
import { protocolName } from './target-options.ts';
import type { Tone } from './terminal.ts';

type Unsuccessful = Exclude<Answered<unknown>, { readonly type: 'done' }>;

/** What went wrong with `subject`, and the fix, for stderr. */
export function failureOf(answer: Unsuccessful, subject: string): CommandFailed {
  switch (answer.type) {
    case 'refused': {
      const { code, diagnostic, retryAfterSeconds } = answer;
      const retry = retryAfterSeconds === undefined ? '' : `\nTry again in ${retryAfterSeconds} s.`;
      const words = diagnostic === '' ? 'the server gave no reason' : printable(diagnostic);
      return new CommandFailed(`${subject} refused: ${code} ${words}${retry}`, {
        code,
        diagnostic,
        ...(retryAfterSeconds === undefined ? {} : { 'retry-after': retryAfterSeconds }),
      });
    }
    case 'conflict': {
      const { code, conflict } = answer;
      return new CommandFailed(`${subject} refused: ${code} conflict, ${conflictText(conflict)}`, {
        code,
        'conflict-information': conflictJson(conflict),
      });
    }
    case 'redirected': {
      const { code, redirect, ttlSeconds } = answer;
      const addresses =
        redirect.altServerRecords.length === 0 ? '' : ` (${redirect.altServerRecords.join(', ')})`;
      return new CommandFailed(
        `${subject}: ${code}, for ${ttlSeconds} s this server sends its clients to ${redirect.altServer}${addresses}` +
          `\nRun the command again with --server ${redirect.altServer}`,
        { code, 'alt-server': redirect.altServer, 'alt-server-record': redirect.altServerRecords },
      );
    }
    case 'unreadable': {
      const { code, error } = answer;
      return new CommandFailed(
        `${subject}: the server’s answer (${code}) cannot be read: ${error.field}: ${error.why} (${error.section})`,
        { code, field: error.field },
      );
    }
    case 'unanswered':
      return new CommandFailed(
        answer.reason === 'timeout'
          ? `${subject}: no answer in time. It may have arrived all the same: tocsin status tells`
          : `${subject}: ${UNANSWERED[answer.reason]}`,
        { reason: answer.reason },
      );
  }
}

const UNANSWERED = {
  timeout: 'no answer in time',
  reset: 'the server rejected the message',
  'too-large': 'too large to be sent or received',
  'malformed-response': 'the server’s answer is not CoAP as it should be',
  closed:
    'the server closed the session. Does it know this client? Its operator can tell with: tocsin client list',
} as const;

export function conflictText({ status, cause, retryTimerSeconds, scope }: ReceivedConflict): string {
  const causeText = typeof cause === 'string' ? CONFLICT_CAUSE_NAME[cause] : `cause ${cause ?? 'unknown'}`;
  const statusText = typeof status === 'string' ? CONFLICT_STATUS_NAME[status] : status?.toString();
  const parts = [causeText, statusText];
  if (scope?.mid !== undefined) parts.push(`with mitigation ${scope.mid}`);
  if (scope?.targetPrefixes !== undefined) parts.push(`at ${scope.targetPrefixes.join(', ')}`);
  if (scope?.aclNames !== undefined) parts.push(`with ${scope.aclNames.join(', ')}`);
  if (retryTimerSeconds !== undefined) parts.push(`retry in ${retryTimerSeconds} s`);
  return parts
    .filter((part) => part !== undefined)
    .map(printable)
    .join(', ');
}

export function targetsText(scope: MitigationScope): string {
  const { targetPrefixes, targetFqdns, targetUris, aliasNames } = scope;
  const parts = [
    ...targetPrefixes,
    ...targetFqdns,
    ...targetUris,
    ...aliasNames.map((name) => `alias ${name}`),
  ];
  if (scope.targetProtocols.length > 0) parts.push(scope.targetProtocols.map(protocolName).join(','));
  if (scope.targetPortRanges.length > 0) parts.push(`port ${scope.targetPortRanges.map(portText).join(',')}`);
  return printable(parts.join(' '));
}

const portText = ({ lowerPort, upperPort }: PortRange): string =>
  upperPort === undefined ? lowerPort.toString() : `${lowerPort}-${upperPort}`;

export const lifetimeText = (seconds: number | undefined): string =>
  seconds === undefined ? '' : seconds === -1 ? 'unlimited' : `${seconds} s`;

export function countersText(entry: ReceivedStatusEntry): string {
  const parts: string[] = [];
  if (entry.bytesDropped !== undefined) parts.push(`${entry.bytesDropped} bytes`);
  if (entry.bpsDropped !== undefined) parts.push(`${entry.bpsDropped} bytes/s`);
  if (entry.pktsDropped !== undefined) parts.push(`${entry.pktsDropped} packets`);
  if (entry.ppsDropped !== undefined) parts.push(`${entry.ppsDropped} packets/s`);
  return parts.length === 0 ? '' : `dropped ${parts.join(', ')}`;
}

export const statusText = (entry: ReceivedStatusEntry): string => statusName(entry.status) ?? '';

export function toneOf(status: ReceivedStatusEntry['status']): Tone {
  switch (status) {
    case 'mitigated':
    case 'stopped':
      return 'good';
    case 'inProgress':
    case 'activeButTerminating':
      return 'busy';
    case 'exceededCapability':
    case 'withdrawn':
      return 'bad';
    default:
      return 'plain';
  }
}

/** A server's words without what a terminal would obey. */
const printable = (text: string): string => text.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, '?');
