/** Stands in for Lambda's runtime in a process of its own: loads the bundle it is given and calls it with every message. */
import { pathToFileURL } from 'node:url';

const CONTEXT = { getRemainingTimeInMillis: () => 10_000, awsRequestId: 'test', functionName: 'test' };

const bundle = process.argv[2];
if (bundle === undefined) throw new Error('usage: lambda-host.ts BUNDLE');
const { handler } = (await import(pathToFileURL(bundle).href)) as {
  handler: (event: unknown, context: unknown) => Promise<unknown>;
};

process.on('message', (event) => {
  handler(event, CONTEXT).then(
    (answer) => process.send?.({ answer }),
    (error: unknown) => process.send?.({ error: String(error) }),
  );
});
process.on('disconnect', () => process.exit());
process.send?.('ready');
