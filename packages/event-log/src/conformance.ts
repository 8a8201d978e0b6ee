import { describe } from 'vitest';
import { describeAppend } from './conformance/append.ts';
import { describeConsume } from './conformance/consume.ts';
import { describeLookUp } from './conformance/look-up.ts';
import { describeTail } from './conformance/tail.ts';
import { describeTopics } from './conformance/topics.ts';
import type { CreateSubject } from './conformance/subject.ts';

export type { CreateSubject, EventLogSubject } from './conformance/subject.ts';

/** Conformance suite of the event log port. Its titles are sentences of `event-log.ts`. */
export function describeEventLog(name: string, create: CreateSubject): void {
  describe(`event log on ${name}`, () => {
    describeTopics(create);
    describeAppend(create);
    describeConsume(create);
    describeTail(create);
    describeLookUp(create);
  });
}
