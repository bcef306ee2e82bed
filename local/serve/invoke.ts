/** The functions in this process, behind the same JSON that carries them to Lambda: what JSON loses is lost here too. */
import type { AuthorizerAnswer, AuthorizerRequest } from '#core/ports/authorizer.ts';
import type { Functions } from '#core/ports/functions.ts';
import type { MitigationRequestEvent, MitigationRequestResult } from '#core/ports/mitigation-request.ts';

export interface Handlers {
  readonly authorizer: (request: AuthorizerRequest) => Promise<AuthorizerAnswer>;
  readonly mitigationRequest: (event: MitigationRequestEvent) => Promise<MitigationRequestResult>;
}

export function invokeInProcess(handlers: Handlers): Functions {
  return {
    authorize: async (request) => throughJson(await handlers.authorizer(throughJson(request))),
    requestMitigation: async (event) => throughJson(await handlers.mitigationRequest(throughJson(event))),
  };
}

function throughJson<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}
