/** `driver: gobgp` in config.yaml. */
import { z } from 'zod';
import { REFLECTOR_PORTS } from '#core/plan/rules.ts';

/** RFC 6666: addresses whose traffic goes nowhere. */
const DISCARD_NEXT_HOP = '100::1';

export const gobgpConfigSchema = z
  .strictObject({
    driver: z.literal('gobgp'),
    address: z
      .string()
      .regex(/^(\[[0-9a-fA-F:]+\]|[^\s:[\]]+):[0-9]{1,5}$/, 'wants HOST:PORT')
      .meta({ description: 'Where gobgpd serves its gRPC API.', examples: ['127.0.0.1:50051'] }),
    nextHop: z
      .ipv4()
      .optional()
      .meta({
        description: 'Next hop of IPv4 blackhole routes; needed for profile blackhole.',
        examples: ['192.0.2.254'],
      }),
    nextHop6: z.ipv6().default(DISCARD_NEXT_HOP).meta({ description: 'Next hop of IPv6 blackhole routes.' }),
    bytesPerSecond: z
      .number()
      .positive()
      .optional()
      .meta({ description: 'Rate to which profile limit reduces each target.', examples: [1_250_000] }),
    divertTo: z
      .string()
      .regex(/^[0-9]{1,10}:[0-9]{1,10}$/, 'wants a route target, ASN:NUMBER')
      .refine(isRouteTarget, 'the parts of a route target take 6 bytes together')
      .optional()
      .meta({
        description: 'Route target of the scrubber; needed for profile divert.',
        examples: ['65001:666'],
      }),
    reflectorPorts: z
      .array(z.int().min(0).max(65_535))
      .min(1)
      .default([...REFLECTOR_PORTS])
      .meta({ description: 'UDP source ports that profile reflectors discards.' }),
    tls: z
      .strictObject({
        caFile: z.string(),
        certFile: z.string().optional(),
        keyFile: z.string().optional(),
      })
      .optional()
      .meta({ description: 'TLS towards gobgpd; without it the API is spoken in the clear.' }),
  })
  .meta({
    description: 'Announces blackhole routes and FlowSpec over a GoBGP daemon of this deployment alone.',
  });

export type GobgpConfig = z.output<typeof gobgpConfigSchema>;

function isRouteTarget(text: string): boolean {
  const [asn = 0, number = 0] = text.split(':').map(Number);
  return asn <= 0xffff_ffff && number <= (asn > 0xffff ? 0xffff : 0xffff_ffff);
}
