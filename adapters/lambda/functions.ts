/** The edge's way to the functions in the cloud: synchronous Lambda invocations that do not outwait a client's patience. */
import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import type { AuthorizerAnswer, AuthorizerRequest } from '#core/ports/authorizer.ts';
import type { Functions } from '#core/ports/functions.ts';
import type { MitigationRequestEvent, MitigationRequestResult } from '#core/ports/mitigation-request.ts';

/** An invocation is given up after this, and tried once more: both fit into a client's first retransmission (2 s). */
const TIMEOUT_MS = 900;
const ATTEMPTS = 2;

export interface LambdaFunctionsOptions {
  /** Without retries of its own (`maxAttempts: 1`): those would outlast the timeout. */
  readonly client: LambdaClient;
  readonly authorizerName: string;
  readonly mitigationRequestName: string;
}

/** The function did not answer (`unreachable`), or answered with an error of its own (`failed`). */
export class FunctionError extends Error {
  readonly code: 'unreachable' | 'failed';
  readonly functionName: string;

  constructor(code: FunctionError['code'], functionName: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'FunctionError';
    this.code = code;
    this.functionName = functionName;
  }
}

/** Calls reject with a FunctionError. A repeated mitigation request is harmless: the same request twice is a refresh. */
export function createLambdaFunctions(options: LambdaFunctionsOptions): Functions {
  const { client, authorizerName, mitigationRequestName } = options;
  return {
    authorize: async (request: AuthorizerRequest) =>
      (await invoke(client, authorizerName, request)) as AuthorizerAnswer,
    requestMitigation: async (event: MitigationRequestEvent) =>
      (await invoke(client, mitigationRequestName, event)) as MitigationRequestResult,
  };
}

async function invoke(client: LambdaClient, functionName: string, payload: unknown): Promise<unknown> {
  const command = new InvokeCommand({
    FunctionName: functionName,
    InvocationType: 'RequestResponse',
    Payload: Buffer.from(JSON.stringify(payload)),
  });
  for (let attempt = 1; ; attempt++) {
    try {
      const answer = await client.send(command, { abortSignal: AbortSignal.timeout(TIMEOUT_MS) });
      const text = Buffer.from(answer.Payload ?? []).toString();
      if (answer.FunctionError === undefined) return JSON.parse(text);
      throw new FunctionError(
        'failed',
        functionName,
        `${functionName} failed: see its log (${reasonOf(text)})`,
      );
    } catch (error) {
      if (error instanceof FunctionError) throw error;
      if (attempt < ATTEMPTS) continue;
      throw new FunctionError(
        'unreachable',
        functionName,
        `${functionName} did not answer twice within ${TIMEOUT_MS} ms: check that it exists, its concurrency and the role's permissions`,
        error,
      );
    }
  }
}

/** The first line of what the runtime says; the whole is in the function's log. */
function reasonOf(payload: string): string {
  const end = payload.indexOf('\n');
  return payload.slice(0, end < 0 ? 200 : Math.min(end, 200));
}
