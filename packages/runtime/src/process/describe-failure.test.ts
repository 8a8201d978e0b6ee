import { TidegateError } from '@tidegate/core';
import { describe, expect, it } from 'vitest';
import { describeFailure } from './describe-failure.ts';

const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:5432'), {
  code: 'ECONNREFUSED',
  address: '127.0.0.1',
  port: 5432,
});

describe('describeFailure', () => {
  it('names the message of our error and the root cause', () => {
    const error = new TidegateError('UNAVAILABLE', 'The database cannot be reached', { cause: refused });
    expect(describeFailure(error)).toBe('The database cannot be reached: ECONNREFUSED 127.0.0.1:5432');
  });

  it('does not repeat the message of the root cause', () => {
    expect(describeFailure(refused)).toBe('connect ECONNREFUSED 127.0.0.1:5432');
  });

  it('unwraps an AggregateError without a message, as Node throws for localhost', () => {
    expect(describeFailure(new AggregateError([refused], ''))).toBe('ECONNREFUSED 127.0.0.1:5432');
  });

  it('removes credentials and line breaks', () => {
    expect(describeFailure(new Error('cannot open\npostgres://me:pw@host/db'))).toBe(
      'cannot open postgres://***@host/db',
    );
  });

  it('describes any thrown value', () => {
    expect(describeFailure('no')).toBe('no');
    expect(describeFailure(undefined)).toBe('undefined');
    expect(describeFailure(new Error(''))).toBe('an error without a message');
  });
});
