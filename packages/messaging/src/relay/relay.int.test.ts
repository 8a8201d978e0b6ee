import { postgresUrlFromEnv } from '@tidegate/testing';
import { describe } from 'vitest';
import { openOnPostgres } from '../conformance/on-postgres.ts';
import { describeRelay } from '../conformance/relay.ts';

const url = postgresUrlFromEnv();

describe.skipIf(url === undefined)('with a real Postgres (DATABASE_URL)', () => {
  describeRelay('Postgres', () => openOnPostgres(url!), { concurrentTransactions: true });
});
