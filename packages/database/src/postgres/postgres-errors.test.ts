import { TidegateError } from '@tidegate/core';
import { describe, expect, it } from 'vitest';
import { translatePostgresError } from './postgres-errors.ts';

describe('an error of Postgres', () => {
  it.each([
    Object.assign(new Error('connect ECONNREFUSED 10.1.2.3:5432'), { code: 'ECONNREFUSED' }),
    Object.assign(new Error('getaddrinfo ENOTFOUND db.internal'), { code: 'ENOTFOUND' }),
    Object.assign(new Error('password of "tidegate" at 10.1.2.3'), { code: '08006' }),
    new Error('Connection terminated unexpectedly'),
  ])('that means it is away tells callers neither host nor reason: $message', (error) => {
    const translated = translatePostgresError(error) as TidegateError;
    expect(translated).toMatchObject({ code: 'UNAVAILABLE', message: 'The database cannot be reached.' });
    // The log has the reason.
    expect(translated.cause).toBe(error);
  });
});
