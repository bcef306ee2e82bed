/** `driver: webhook` in config.yaml. */
import { z } from 'zod';
import { isLoopbackHost } from './addresses.ts';

export const webhookConfigSchema = z
  .strictObject({
    driver: z.literal('webhook'),
    url: z
      .url({ protocol: /^https?$/ })
      .meta({ description: 'Where requests are posted.', examples: ['https://mitigation.example/dots'] }),
    secretFile: z
      .string()
      .min(1)
      .meta({ description: 'File with the shared secret of the signature, at least 16 characters.' }),
    previousSecretFile: z
      .string()
      .min(1)
      .optional()
      .meta({ description: 'The secret before: signatures carry both while it is replaced.' }),
    caFile: z
      .string()
      .min(1)
      .optional()
      .meta({ description: "Certificates that the receiver's is checked against, instead of the system's." }),
    allowPrivate: z.boolean().default(false).meta({
      description: 'Lets the receiver have a private or loopback address, and plain http on loopback.',
    }),
    pollSeconds: z
      .int()
      .min(1)
      .max(3600)
      .default(30)
      .meta({ description: "How often the receiver's statusUrl is asked." }),
  })
  .refine((config) => isAcceptable(config.url, config.allowPrivate), {
    path: ['url'],
    message: 'wants https; http only to a loopback address with allowPrivate: true',
  })
  .refine((config) => new URL(config.url).username === '' && new URL(config.url).password === '', {
    path: ['url'],
    message: 'must not carry credentials: the signature proves who asks',
  })
  .meta({ description: 'Posts signed requests to any other mitigator.' });

export type WebhookConfig = z.output<typeof webhookConfigSchema>;

function isAcceptable(text: string, allowPrivate: boolean): boolean {
  const url = new URL(text);
  return url.protocol === 'https:' || (allowPrivate && isLoopbackHost(url.hostname));
}
