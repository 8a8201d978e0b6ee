import { postgresUrlFromEnv } from '@tidegate/testing';
import { describe } from 'vitest';
import { describeConsumer } from '../conformance/consumer.ts';
import { openOnPostgres } from '../conformance/on-postgres.ts';

const url = postgresUrlFromEnv();

describe.skipIf(url === undefined)('with a real Postgres (DATABASE_URL)', () => {
  describeConsumer('Postgres', () => openOnPostgres(url!));
});
