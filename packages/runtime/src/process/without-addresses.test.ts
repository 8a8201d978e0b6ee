import { describe, expect, it } from 'vitest';
import { withoutAddresses } from './without-addresses.ts';

describe('a reason without addresses', () => {
  it.each([
    ['connect ECONNREFUSED 127.0.0.1:5432', 'connect ECONNREFUSED ***'],
    ['connect ECONNREFUSED ::1:5432', 'connect ECONNREFUSED ***'],
    ['connect EHOSTUNREACH fd00::12', 'connect EHOSTUNREACH ***'],
    ['connect ECONNREFUSED [fd00::12]:9092', 'connect ECONNREFUSED ***'],
    ['getaddrinfo ENOTFOUND db.internal', 'getaddrinfo ENOTFOUND ***'],
    ['getaddrinfo EAI_AGAIN postgres', 'getaddrinfo EAI_AGAIN ***'],
    ['no route to postgres://***@host:5432/db', 'no route to ***'],
    ['brokers kafka-1.internal:9092, kafka2:9092 are away', 'brokers ***, *** are away'],
    ['connect ENOENT /var/run/postgresql/.s.PGSQL.5432', 'connect ENOENT ***'],
  ])('%s: %s', (reason, published) => expect(withoutAddresses(reason)).toBe(published));

  it.each([
    'There was no answer within 2000 ms.',
    'the process is still starting',
    'the probe of partition 3 is 12 s late: no record since 12:30:45',
    'topic counter.documents, 2/6 partitions are not tailed',
  ])('keeps %s', (reason) => expect(withoutAddresses(reason)).toBe(reason));
});
