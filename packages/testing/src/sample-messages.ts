/** Messages and topics of a small domain of counters and alarms, for tests of packages that have no domain. */
import { defineMessage, defineTopic } from '@tidegate/core';
import { z } from 'zod';

export const sampleTopics = {
  counterEvents: defineTopic('counters.events', 'delete', 'counters, keyed by counter id'),
  alarmEvents: defineTopic('alarms.events', 'delete', 'alarms, keyed by counter id'),
  counterDocuments: defineTopic('counter.documents', 'compact', 'whole counters, keyed by counter id'),
} as const;

const counterId = z.string().min(1);
const counters = {
  owner: 'counters',
  version: 1,
  topic: sampleTopics.counterEvents,
  key: 'counter id',
} as const;
const alarms = { owner: 'alarms', version: 1, topic: sampleTopics.alarmEvents, key: 'counter id' } as const;

export const CounterOpened = defineMessage('CounterOpened', {
  ...counters,
  schema: z.object({ counterId }),
});
export const CounterRaised = defineMessage('CounterRaised', {
  ...counters,
  schema: z.object({ counterId }),
});
export const AlarmRaised = defineMessage('AlarmRaised', { ...alarms, schema: z.object({ counterId }) });
export const AlarmCleared = defineMessage('AlarmCleared', { ...alarms, schema: z.object({ counterId }) });
