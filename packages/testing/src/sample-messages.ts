/** Messages and topics of a small domain of counters and alarms, for tests of packages that have no domain. */
import { defineMessage, defineTopic, type DataOf } from '@tidegate/core';
import { z } from 'zod';

/** Topics of the sample domain. Append them to a log with `topicSpecs(Object.values(sampleTopics), partitions)`. */
export const sampleTopics = {
  counterEvents: defineTopic('counters.events', 'delete', 'counters, keyed by counter id'),
  alarmEvents: defineTopic('alarms.events', 'delete', 'alarms, keyed by counter id'),
  counterDocuments: defineTopic('counter.documents', 'compact', 'whole counters, keyed by counter id'),
} as const;

const counterId = z.string().min(1);
const counterEvents = {
  owner: 'counters',
  version: 1,
  topic: sampleTopics.counterEvents,
  key: 'counter id',
} as const;
const alarmEvents = {
  owner: 'alarms',
  version: 1,
  topic: sampleTopics.alarmEvents,
  key: 'counter id',
} as const;

/** Event: a counter exists from now on. */
export const CounterOpened = defineMessage('CounterOpened', {
  ...counterEvents,
  schema: z.object({ counterId }),
});

/** Event: a counter went up by one. */
export const CounterRaised = defineMessage('CounterRaised', {
  ...counterEvents,
  schema: z.object({ counterId }),
});

/** Event: a counter went past its limit. */
export const AlarmRaised = defineMessage('AlarmRaised', { ...alarmEvents, schema: z.object({ counterId }) });

/** Event: a counter is below its limit again. */
export const AlarmCleared = defineMessage('AlarmCleared', {
  ...alarmEvents,
  schema: z.object({ counterId }),
});

/** Document: the whole state of one counter after a change. Its envelope's `sequence` is the counter's version. */
export const CounterDocumentChanged = defineMessage('CounterDocumentChanged', {
  owner: 'counters',
  version: 1,
  topic: sampleTopics.counterDocuments,
  key: 'counter id',
  schema: z.object({
    counterId,
    ownerId: z.string().min(1),
    count: z.int().min(0),
    status: z.enum(['OPEN', 'FULL', 'CLOSED']),
  }),
});

/** Data of a `CounterDocumentChanged`. */
export type CounterDocument = DataOf<typeof CounterDocumentChanged>;
