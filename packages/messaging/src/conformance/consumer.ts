import { describe } from 'vitest';
import { describeConsumerRetries } from './consumer-retries.ts';
import { describeConsumerMetrics } from './consumer-metrics.ts';
import { describeDeadLetters } from './dead-letters.ts';
import { describeInbox } from './inbox.ts';
import { describeMalformedRecords } from './malformed-records.ts';
import type { CreateSubject } from './subject.ts';

/** Conformance suite of the consumer, for one database. */
export function describeConsumer(name: string, create: CreateSubject): void {
  describe(`consumer on ${name}`, () => {
    describeInbox(create);
    describeMalformedRecords(create);
    describeConsumerRetries(create);
    describeDeadLetters(create);
    describeConsumerMetrics(create);
  });
}
