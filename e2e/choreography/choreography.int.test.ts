import { postgresUrlFromEnv } from '@tidegate/testing';
import { describe } from 'vitest';
import { describeChoreography } from './choreography-suite.ts';
import { createPostgresStorage } from './storage.ts';

const url = postgresUrlFromEnv();

describe.skipIf(!url)('with DATABASE_URL', () => {
  describeChoreography('Postgres', () => createPostgresStorage(url!));
});
