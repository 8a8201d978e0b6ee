import { z } from 'zod';
import { defineMessage, defineTopic } from '@tidegate/core';

/** Record that a gateway appends to see whether changes flow. Of no use to other consumers. */
export const LivenessProbed = defineMessage('LivenessProbed', {
  owner: 'gateway',
  version: 1,
  topic: defineTopic('tidegate.canary', 'delete', 'records that gateways append to see whether changes flow'),
  key: 'gateway instance id',
  schema: z.object({ instanceId: z.string() }),
});
