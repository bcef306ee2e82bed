/** The requests of simulated clients. */
import { putMitigation } from '#core/client/requests.ts';
import type { Request } from '#core/coap/message.ts';
import type { Mid } from '#core/model/identifiers.ts';
import { EMPTY_SCOPE } from '#core/model/scope.ts';
import type { SimulatedClient } from './simulation.ts';

export interface Asked {
  readonly mid: number;
  /** Last octet of the one address to protect, in the client's own prefix. */
  readonly host: number;
  /** False: for the loss of the signal only. */
  readonly trigger?: boolean;
}

export function put({ cuid, prefix }: SimulatedClient, { mid, host, trigger = true }: Asked): Request {
  return putMitigation(cuid, mid as Mid, {
    scope: { ...EMPTY_SCOPE, targetPrefixes: [`${prefix}.${host}/32`] },
    lifetimeSeconds: 3600,
    triggerMitigation: trigger,
  });
}
