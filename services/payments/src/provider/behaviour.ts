import { z } from 'zod';

/** Faults of the simulated provider. Default: none. */
export const behaviour = z.strictObject({
  /** Delay of every answer, in milliseconds. Default 0. */
  delayMs: z.int().min(0).max(60_000).default(0),
  /** Share of requests answered with 503, from 0 to 1. Default 0. */
  failRate: z.number().min(0).max(1).default(0),
  /** Share of authorisations declined, from 0 to 1, besides amounts whose cents end in 13. Default 0. */
  declineRate: z.number().min(0).max(1).default(0),
});
export type Behaviour = z.infer<typeof behaviour>;
