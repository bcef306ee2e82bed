/** config.yaml: what it may say. docs/config.schema.json is made from this, and a test keeps it current. */
import { z } from 'zod';
import { mitigatorConfigSchema } from '#adapters/mitigators/registry.ts';
import { parseIpPrefix } from '#core/model/ip-prefix.ts';
import { isDomainName, NO_NAME } from '../registry/names.ts';

/** A name that people type: of a mitigator, of a domain. */
const nameSchema = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'wants lower-case letters, digits and dashes, at most 63');

const prefixSchema = z
  .string()
  .refine((text) => parseIpPrefix(text) !== undefined, 'is no IP prefix')
  .meta({ description: 'An IPv4 or IPv6 prefix.', examples: ['192.0.2.0/24'] });

const addressSchema = z
  .string()
  .refine((text) => !text.includes('/') && parseIpPrefix(text) !== undefined, 'is no IP address')
  .meta({ description: 'An IPv4 or IPv6 address.', examples: ['192.0.2.10'] });

/** `127.0.0.53`, `127.0.0.1:5353`, `::1`, `[::1]:53`. */
export const LOOPBACK = /^(127(\.\d{1,3}){3}(:\d+)?|::1|\[::1\](:\d+)?)$/;

/** Plain DNS can be forged on the way (RFC 9132 §11): it may not leave the machine. */
const nameServerSchema = z
  .string()
  .refine(
    (text) => LOOPBACK.test(text),
    'wants a name server on this machine, which asks others over a protected path',
  )
  .meta({ description: 'Address and port on loopback.', examples: ['127.0.0.53'] });

/** Policy of a domain; at the top level, of every domain. */
const policyKeys = {
  terminatingSeconds: z
    .int()
    .min(1)
    .max(86_400)
    .meta({
      description: 'Active-but-terminating period after a withdrawal (RFC 9132 §4.4.4).',
      examples: [120],
    })
    .optional(),
  maxTerminatingSeconds: z
    .int()
    .min(1)
    .max(86_400)
    .meta({
      description: 'Ceiling of that period, which doubles on each repeat (RFC 9132 §4.4.4).',
      examples: [300],
    })
    .optional(),
  limits: z
    .strictObject({
      maxMitigations: z
        .int()
        .min(1)
        .meta({ description: 'Active mitigations of the domain at once.', examples: [1000] })
        .optional(),
      maxLifetimeSeconds: z
        .int()
        .min(-1)
        .refine((seconds) => seconds !== 0, 'wants seconds, or -1')
        .meta({
          description: 'Longest lifetime granted, in seconds; -1 allows unlimited ones.',
          examples: [86_400],
        })
        .optional(),
    })
    .meta({ examples: [{ maxMitigations: 1000 }] })
    .optional(),
  conflictPolicy: z
    .enum(['accept-both', 'reject-new', 'replace-old'])
    .meta({
      description: 'When requests of two clients of one domain overlap (RFC 9132 §4.4.1.3).',
      examples: ['accept-both'],
    })
    .optional(),
  neverTouch: z
    .array(prefixSchema)
    .meta({ description: 'Prefixes no mitigation may ever name.', examples: [['192.0.2.53/32']] })
    .optional(),
};

const domainSchema = z
  .strictObject({
    name: z
      .string()
      .min(1)
      .meta({ description: 'For people.', examples: ['Example Ltd'] })
      .optional(),
    prefixes: z
      .array(prefixSchema)
      .meta({ description: 'What the domain owns.', examples: [['192.0.2.0/24']] })
      .optional(),
    names: z
      .array(
        z
          .string()
          .refine(isDomainName, NO_NAME)
          .meta({ examples: ['demo.example'] }),
      )
      .meta({ description: 'Domain names it owns, with all below them.', examples: [['demo.example']] })
      .optional(),
    mitigators: z
      .array(
        z.strictObject({
          name: nameSchema.meta({ description: 'A key of `mitigators`, or `alert`.', examples: ['filter'] }),
          profile: z.enum(['divert', 'limit', 'reflectors', 'acl-only', 'blackhole']).meta({
            description: 'How a bare request is read; `blackhole` is the permission to blackhole.',
            examples: ['limit'],
          }),
        }),
      )
      .meta({ description: 'Tried in this order.', examples: [[{ name: 'filter', profile: 'limit' }]] })
      .optional(),
    ...policyKeys,
  })
  .meta({ examples: [{ mitigators: [{ name: 'filter', profile: 'limit' }] }] });

export const configSchema = z
  .strictObject({
    mitigators: z
      .record(nameSchema, mitigatorConfigSchema)
      .meta({ examples: [{ filter: { driver: 'nftables' } }] })
      .optional(),
    domains: z.record(nameSchema, domainSchema).optional(),
    resolver: z
      .strictObject({
        servers: z
          .array(nameServerSchema)
          .min(1)
          .meta({ description: 'Name servers on this machine.', examples: [['127.0.0.53']] })
          .optional(),
        names: z
          .record(z.string().min(1), z.array(addressSchema).min(1))
          .meta({
            description: 'Addresses of names, asked before any name server.',
            examples: [{ 'www.demo.example': ['192.0.2.10'] }],
          })
          .optional(),
      })
      .meta({
        description:
          'How target names become addresses; without it, the name servers of this machine that are on loopback.',
        examples: [{ servers: ['127.0.0.53'] }],
      })
      .optional(),
    ...policyKeys,
  })
  .meta({ title: 'Tocsin config.yaml' });

export type Config = z.infer<typeof configSchema>;
export type DomainConfig = z.infer<typeof domainSchema>;
export type PolicyConfig = Pick<Config, keyof typeof policyKeys>;

/** JSON Schema, draft 2020-12, for editors and for the fixes in messages. */
export function configJsonSchema(): JsonSchema {
  return z.toJSONSchema(configSchema, { io: 'input' }) as JsonSchema;
}

/** As much of JSON Schema as the messages look at. */
export interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly items?: JsonSchema;
  readonly oneOf?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly const?: unknown;
  readonly examples?: readonly unknown[];
}
