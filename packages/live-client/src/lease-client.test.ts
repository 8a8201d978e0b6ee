import { until } from '@tidegate/testing';
import { expect, it } from 'vitest';
import { collect, useClientFixture } from './client.fixture.ts';
import { leaseClient } from './lease-client.ts';

const fixture = useClientFixture({ settleMs: 30 }, { sendsIdleCursors: false });

it('close of a leased client ends its own subscriptions and no others', async () => {
  const shared = fixture.connect();
  const [one, other] = [leaseClient(shared), leaseClient(shared)];
  const closed = collect(one);
  const kept = collect(other);
  await fixture.untilSubscribed(2);
  one.close();
  fixture.gateway.publish('a', 1);
  await until(() => kept.seen.length === 1, { what: 'the change of the other' });
  expect(closed.seen).toEqual([]);
  const late = collect(one);
  await until(() => late.ends.length > 0, { what: 'the end of a later subscription' });
  expect(late.ends).toEqual(['CLOSED']);
  await expect(one.query({ query: '{ ok }' })).rejects.toMatchObject({ code: 'CLOSED' });
  expect(await other.query({ query: '{ ok }' })).toEqual({ data: { ok: true } });
});
