/** How the edge reaches the functions: Lambda in the cloud, in process (through JSON) on one machine. */
import type { AuthorizerAnswer, AuthorizerRequest } from './authorizer.ts';
import type { MitigationRequestEvent, MitigationRequestResult } from './mitigation-request.ts';

export interface Functions {
  authorize(request: AuthorizerRequest): Promise<AuthorizerAnswer>;
  requestMitigation(event: MitigationRequestEvent): Promise<MitigationRequestResult>;
}
