import { z } from 'zod';
import { defineMessage, defineTopic } from '@tidegate/core';

/** What a gateway writes to the log to see whether it comes out of a subscription. Means nothing to anybody else. */
export const LivenessProbed = defineMessage('LivenessProbed', {
  owner: 'gateway',
  version: 1,
  topic: defineTopic('tidegate.canary', 'delete', 'what gateways write to see whether changes flow'),
  key: 'gateway instance id',
  schema: z.object({ instanceId: z.string() }),
});
