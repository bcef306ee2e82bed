/** `MitigationRequestEvent` as it arrives: JSON that anybody with the right to invoke could have written. */
import { z } from 'zod';
import type { Command } from '#core/mitigation/command.ts';
import type { Mid } from '#core/model/identifiers.ts';
import { parseCdid, parseCuid, parseDomainId, parseIdentityId } from '#core/model/identifiers.ts';
import { ATTACK_STATUS_NUMBER, type AttackStatus } from '#core/model/status.ts';
import type { MitigationRequestEvent } from '#core/ports/mitigation-request.ts';

/** Commands per batch and entries per list: far above what fits into a request, far below what could hurt. */
const MOST_COMMANDS = 1000;
const MOST_ENTRIES = 1000;

const LONGEST_TEXT = 2048;

const identifier = <T extends string>(parse: (text: string) => T | undefined) =>
  z.string().transform((text, context): T => {
    const parsed = parse(text);
    if (parsed !== undefined) return parsed;
    context.addIssue({ code: 'custom', message: 'malformed identifier' });
    return z.NEVER;
  });

const uint32 = z.int().min(0).max(0xffff_ffff);
const mid = uint32.transform((value) => value as Mid);
const port = z.int().min(0).max(65_535);
const list = <T extends z.ZodType>(entry: T) => z.array(entry).max(MOST_ENTRIES);
const text = z.string().min(1).max(LONGEST_TEXT);

const portRange = z
  .strictObject({ lowerPort: port, upperPort: port.exactOptional() })
  .refine(
    ({ lowerPort, upperPort }) => upperPort === undefined || upperPort >= lowerPort,
    'upper below lower',
  );

const scope = z.strictObject({
  targetPrefixes: list(text),
  targetPortRanges: list(portRange),
  targetProtocols: list(z.int().min(0).max(255)),
  targetFqdns: list(text),
  targetUris: list(text),
  aliasNames: list(text),
});

const requester = z.strictObject({
  identityId: identifier(parseIdentityId),
  cuid: identifier(parseCuid),
  cdid: identifier(parseCdid).exactOptional(),
  source: z.enum(['client', 'alarm', 'operator', 'loss-of-signal']),
});

const attackStatus = z.enum(Object.keys(ATTACK_STATUS_NUMBER) as [AttackStatus, ...AttackStatus[]]);

/** Any integer: which lifetimes are possible is decided, and answered. */
const lifetimeSeconds = z.int();

const command: z.ZodType<Command> = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('put'),
    requester,
    mid,
    scope,
    lifetimeSeconds,
    triggerMitigation: z.boolean(),
  }),
  z.strictObject({
    type: z.literal('efficacy'),
    requester,
    mid,
    scope,
    lifetimeSeconds: lifetimeSeconds.exactOptional(),
    triggerMitigation: z.boolean(),
    attackStatus,
    ifMatch: z.boolean(),
  }),
  z.strictObject({ type: z.literal('delete'), requester, mid }),
  z.strictObject({ type: z.literal('signal-lost'), requester }),
  z.strictObject({
    type: z.literal('attack-stopped'),
    cuid: identifier(parseCuid),
    mid,
    generation: z.int().min(0),
  }),
  z.strictObject({ type: z.literal('due') }),
]);

export const mitigationRequestEvent: z.ZodType<MitigationRequestEvent> = z.strictObject({
  domainId: identifier(parseDomainId),
  commands: z.array(command).max(MOST_COMMANDS),
});
