/** One authorized request: which resource serves it, and what follows from serving it (RFC 9132 §4.4, §4.5). */
import type { ExchangeId } from '#core/coap/endpoint-io.ts';
import type { Response } from '#core/coap/message.ts';
import { OPTION } from '#core/coap/option-number.ts';
import { makeUintOption, sortOptions } from '#core/coap/options.ts';
import type { IdentityId } from '#core/model/identifiers.ts';
import type { Clock } from '#core/ports/clock.ts';
import type { ConfigOperation, GetMitigate, Operation, PutHeartbeat } from '#core/server/router.ts';
import type { CommandBatcher } from './command-batcher.ts';
import { type ConfigPolicy, configResponse, deleteConfig, putConfig } from './config.ts';
import type { Configurations } from './configurations.ts';
import { deleteMitigate } from './delete-mitigate.ts';
import { getMitigate } from './get-mitigate.ts';
import type { Observers } from './observers.ts';
import type { Peer } from './peer.ts';
import { putMitigate } from './put-mitigate.ts';
import { type Reply, respond } from './reply.ts';
import type { ReadStore } from './watched-mitigations.ts';

export interface ServeDeps {
  readonly store: ReadStore;
  readonly clock: Clock;
  readonly commands: CommandBatcher;
  readonly configurations: Configurations;
  readonly observers: Observers;
  readonly policy: ConfigPolicy;
  readonly configurationChanged: (identityId: IdentityId) => void;
}

export interface Asked {
  readonly exchange: ExchangeId;
  readonly observes: boolean;
  readonly reply: (reply: Reply) => void;
}

/** Heartbeats are the session's own: they come in all the time and wait for nothing. */
export type ServedOperation = Exclude<Operation, PutHeartbeat>;

export async function serve(
  operation: ServedOperation,
  asked: Asked,
  peer: Peer,
  deps: ServeDeps,
): Promise<void> {
  switch (operation.type) {
    case 'put-mitigate':
      asked.reply(await putMitigate(operation, peer, deps.commands));
      return;
    case 'delete-mitigate':
      asked.reply(await deleteMitigate(operation, peer, deps.commands));
      return;
    case 'get-mitigate':
      await serveGetMitigate(operation, asked, peer, deps);
      return;
    case 'put-config':
    case 'get-config':
    case 'delete-config':
      await serveConfig(operation, asked, peer, deps);
      return;
  }
}

async function serveGetMitigate(
  operation: GetMitigate,
  asked: Asked,
  peer: Peer,
  deps: ServeDeps,
): Promise<void> {
  const { reply, shown } = await getMitigate(operation, peer, deps.store, deps.clock.epochSeconds());
  if (!asked.observes || shown === undefined) {
    asked.reply(reply);
    return;
  }
  // Before the answer: the endpoint may refuse the registration while it sends it.
  deps.observers.addMitigations(peer, asked.exchange, operation.filter, shown);
  asked.reply(granting(reply));
}

async function serveConfig(
  operation: ConfigOperation,
  asked: Asked,
  peer: Peer,
  deps: ServeDeps,
): Promise<void> {
  const { configurations, policy } = deps;
  if (operation.type === 'get-config') {
    const installed = configurations.get(peer.identityId);
    const response = configResponse(operation.sid, installed, peer.transport, policy);
    const observed = asked.observes && isSuccess(response);
    if (observed) deps.observers.addConfig(peer, asked.exchange, operation.sid);
    asked.reply(observed ? granting(respond(response)) : respond(response));
    return;
  }
  const { response, changed } =
    operation.type === 'put-config'
      ? await putConfig(operation, peer, configurations, policy)
      : await deleteConfig(operation, peer, configurations);
  asked.reply(respond(response));
  if (changed) deps.configurationChanged(peer.identityId);
}

const isSuccess = ({ code }: Response): boolean => code >> 5 === 2;

/** An Observe option, of any value, grants the registration; the endpoint counts. */
function granting(reply: Reply): Reply {
  if (reply.type === 'silence') return reply;
  const { response } = reply;
  return respond({
    ...response,
    options: sortOptions([...response.options, makeUintOption(OPTION.observe, 0)]),
  });
}
