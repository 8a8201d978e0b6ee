import { describe } from 'vitest';
import { describeCoordination } from './conformance/coordination.ts';
import { describeMigrations } from './conformance/migrations.ts';
import type { CreateSubject } from './conformance/subject.ts';
import { describeTransactions } from './conformance/transactions.ts';
import { describeValues } from './conformance/values.ts';

export type { CreateSubject, DatabaseSubject, SampleTables } from './conformance/subject.ts';

/** Conformance suite of the database port. Its titles are the sentences of `database.ts`. */
export function describeDatabase(name: string, create: CreateSubject): void {
  describe(`database on ${name}`, () => {
    describeTransactions(create);
    describeMigrations(create);
    describeValues(create);
    describeCoordination(create);
  });
}
