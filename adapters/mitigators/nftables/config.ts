/** `driver: nftables` in config.yaml. */
import { z } from 'zod';
import { REFLECTOR_PORTS } from '#core/plan/rules.ts';

/** 10 Mbit/s: enough to stay reachable, too little to saturate a customer's line. */
const DEFAULT_BYTES_PER_SECOND = 1_250_000;

export const nftablesConfigSchema = z
  .strictObject({
    driver: z.literal('nftables'),
    bytesPerSecond: z
      .int()
      .positive()
      .max(0xffff_ffff)
      .optional()
      .meta({
        description: `Rate to which profile limit reduces each target; ${DEFAULT_BYTES_PER_SECOND} unless packetsPerSecond is given.`,
        examples: [DEFAULT_BYTES_PER_SECOND],
      }),
    packetsPerSecond: z
      .int()
      .positive()
      .max(0xffff_ffff)
      .optional()
      .meta({ description: 'The same in packets; give one of the two.', examples: [1000] }),
    reflectorPorts: z
      .array(z.int().min(0).max(65_535))
      .min(1)
      .default([...REFLECTOR_PORTS])
      .meta({ description: 'UDP source ports that profile reflectors drops.' }),
    netns: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/, 'wants the name of a network namespace (ip netns list)')
      .optional()
      .meta({ description: 'Network namespace of the filter; its own by default.' }),
  })
  .refine((config) => config.bytesPerSecond === undefined || config.packetsPerSecond === undefined, {
    path: ['packetsPerSecond'],
    message: 'give bytesPerSecond or packetsPerSecond, not both',
  })
  .meta({ description: 'Filters on this machine, with exact counters; needs CAP_NET_ADMIN.' });

export type NftablesConfig = z.output<typeof nftablesConfigSchema>;

/** As the limit statement of nftables wants it. */
export function rateOf({ bytesPerSecond, packetsPerSecond }: NftablesConfig): object {
  if (packetsPerSecond !== undefined) return { rate: packetsPerSecond, per: 'second', inv: true };
  return { rate: bytesPerSecond ?? DEFAULT_BYTES_PER_SECOND, rate_unit: 'bytes', per: 'second', inv: true };
}
