import { z } from 'zod';
export const mitigatorSchema = z.looseObject({ driver: z.enum(['gobgp', 'nftables', 'webhook', 'alert']) });
