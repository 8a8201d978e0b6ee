import { z } from 'zod';

/** How the simulated provider misbehaves; by default it does not. */
export const behaviour = z.strictObject({
  /** Before every answer. */
  delayMs: z.int().min(0).max(60_000).default(0),
  /** Share of the requests that are answered 503, from 0 to 1. */
  failRate: z.number().min(0).max(1).default(0),
  /** Share of the authorisations that are declined, besides those whose cents end in 13. */
  declineRate: z.number().min(0).max(1).default(0),
});
export type Behaviour = z.infer<typeof behaviour>;
