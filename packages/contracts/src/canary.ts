import { z } from 'zod';
import { defineMessage } from './catalogue.ts';
import { topics } from './topics.ts';

/** What a gateway writes to the log to see whether it comes out of a subscription. Means nothing to anybody else. */
export const CanarySang = defineMessage('CanarySang', {
  owner: 'gateway',
  version: 1,
  topic: topics.canary,
  key: 'gateway instance id',
  schema: z.object({ instanceId: z.string() }),
});
