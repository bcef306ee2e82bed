/** An SQS in this process, on a free port of the loopback. */
import { CreateQueueCommand, SQSClient } from '@aws-sdk/client-sqs';
import { startFauxqs } from 'fauxqs';

export interface SqsEngine {
  readonly client: SQSClient;
  /** Makes a FIFO queue under a name of its own; resolves to its URL. */
  readonly createQueue: () => Promise<string>;
  readonly stop: () => Promise<void>;
}

export async function startSqsEngine(): Promise<SqsEngine> {
  const server = await startFauxqs({ port: 0, logger: false });
  const client = new SQSClient({
    endpoint: `http://127.0.0.1:${server.port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  let queues = 0;
  return {
    client,
    createQueue: async () => {
      const QueueName = `tocsin-${++queues}.fifo`;
      const command = new CreateQueueCommand({ QueueName, Attributes: { FifoQueue: 'true' } });
      return (await client.send(command)).QueueUrl ?? '';
    },
    stop: async () => {
      client.destroy();
      await server.stop();
    },
  };
}
