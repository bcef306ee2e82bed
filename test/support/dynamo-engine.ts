/** A real engine behind DynamoDB's API, as a process of its own, with tables in memory. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { CreateTableCommand, DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { tableDefinition } from '#adapters/dynamodb/table.ts';
import { freePort } from './free-port.ts';

const PROGRAM = join(import.meta.dirname, '../../node_modules/@dynoxide/linux-x64/dynoxide');
const START_MS = 10_000;

export interface DynamoEngine {
  readonly client: DynamoDBClient;
  readonly endpoint: string;
  /** Makes a table of the product's definition under a name of its own. */
  readonly createTable: () => Promise<string>;
  readonly stop: () => Promise<void>;
}

export async function startDynamoEngine(): Promise<DynamoEngine> {
  const port = await freePort();
  const engine = spawn(PROGRAM, ['serve', '--host', '127.0.0.1', '--port', `${port}`], { stdio: 'ignore' });
  const exited = once(engine, 'exit');
  const endpoint = `http://127.0.0.1:${port}`;
  const client = new DynamoDBClient({
    endpoint,
    region: 'local',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  let tables = 0;
  const stop = async (): Promise<void> => {
    client.destroy();
    engine.kill('SIGKILL');
    await exited;
  };
  try {
    await untilItAnswers(client);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    client,
    endpoint,
    createTable: async () => {
      const name = `tocsin-${++tables}`;
      await client.send(new CreateTableCommand(tableDefinition(name)));
      return name;
    },
    stop,
  };
}

async function untilItAnswers(client: DynamoDBClient): Promise<void> {
  for (const end = performance.now() + START_MS; ; ) {
    try {
      await client.send(new ListTablesCommand({}));
      return;
    } catch (error) {
      if (performance.now() > end) throw error;
      await pause(50);
    }
  }
}
