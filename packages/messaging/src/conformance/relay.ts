import { describe } from 'vitest';
import { describeOutboxOrder } from './outbox-order.ts';
import { describeRelayFailures } from './relay-failures.ts';
import { describeRelayLifecycle } from './relay-lifecycle.ts';
import type { CreateSubject } from './subject.ts';

export interface RelayFeatures {
  /** True when the database can have several open transactions, so that ids and commits come in another sequence. */
  readonly concurrentTransactions: boolean;
}

/** Conformance suite of the relay, for one database. */
export function describeRelay(name: string, create: CreateSubject, features: RelayFeatures): void {
  describe(`relay on ${name}`, () => {
    describeRelayLifecycle(create);
    describeOutboxOrder(create, features.concurrentTransactions);
    describeRelayFailures(create);
  });
}
