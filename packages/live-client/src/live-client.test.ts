import { describe, expect, it } from 'vitest';
import { until } from '@tidegate/testing';
import { collect, useClientFixture } from './client.fixture.ts';

const fixture = useClientFixture({ settleMs: 30 }, { sendsIdleCursors: false });

describe('a live client', () => {
  it('sends the bearer token with the connection and delivers each result in order', async () => {
    const { seen } = collect(fixture.connect());
    await fixture.untilSubscribed(1);
    fixture.gateway.publish('a', 1);
    fixture.gateway.publish('a', 2);
    await until(() => seen.length === 2, { what: 'both changes' });
    expect(seen).toEqual(['a@1', 'a@2']);
    expect(fixture.gateway.authorizations).toEqual(['Bearer secret']);
    expect(fixture.phases).toEqual(['connecting', 'live']);
  });

  it('uses one connection for all subscriptions', async () => {
    const live = fixture.connect();
    const all = [collect(live), collect(live), collect(live)];
    await fixture.untilSubscribed(3);
    fixture.gateway.publish('a', 1);
    await until(() => all.every(({ seen }) => seen.length === 1), { what: 'each has the change' });
    expect(fixture.gateway.connections).toBe(1);
    expect(fixture.gateway.authorizations).toHaveLength(1);
  });

  it.each([undefined, 1000, 1001, 1012, 4508, 4509, 4503])(
    'resumes after its cursor when the connection ended with close code %s: nothing missing, nothing twice',
    async (closeCode) => {
      const { seen, resets } = collect(fixture.connect());
      await fixture.untilSubscribed(1);
      fixture.gateway.publish('a', 1);
      fixture.gateway.publish('b', 1);
      await until(() => seen.length === 2, { what: 'the changes before' });
      fixture.gateway.drop(closeCode);
      fixture.gateway.publish('a', 2);
      fixture.gateway.publish('b', 2);
      await until(() => seen.length === 4, { what: 'the missed changes' });
      fixture.gateway.publish('a', 3);
      await until(() => seen.length === 5, { what: 'the change after' });
      expect(seen).toEqual(['a@1', 'b@1', 'a@2', 'b@2', 'a@3']);
      expect(fixture.gateway.cursorsSeen).toEqual([undefined, '2']);
      expect(resets).toEqual([]);
    },
  );

  it('loses and repeats nothing when the connection is cut repeatedly under load', async () => {
    const live = fixture.connect();
    const { seen } = collect(live);
    await fixture.untilSubscribed(1);
    fixture.gateway.publish('k0', 1);
    await until(() => seen.length === 1, { what: 'a first cursor' });
    for (let round = 0; round < 15; round++) {
      for (let index = 0; index < 20; index++) fixture.gateway.publish(`k${index}`, round + 2);
      fixture.gateway.drop();
      const attempts = fixture.gateway.cursorsSeen.length;
      await fixture.untilSubscribed(attempts + 1);
    }
    await until(() => seen.length >= fixture.gateway.log.length, { what: 'every change' });
    expect(seen).toEqual(fixture.gateway.log.map(({ key, version }) => `${key}@${version}`));
  });

  it('is offline while it waits, connecting during an attempt, catching up until results pause, then live', async () => {
    const { seen } = collect(fixture.connect());
    await fixture.untilSubscribed(1);
    fixture.gateway.publish('a', 1);
    await until(() => seen.length === 1, { what: 'a cursor' });
    fixture.gateway.drop();
    fixture.gateway.publish('a', 2);
    await until(() => fixture.phases.at(-1) === 'live' && fixture.phases.length > 3, { what: 'live again' });
    expect(fixture.phases).toEqual(['connecting', 'live', 'offline', 'connecting', 'catching-up', 'live']);
  });

  it.each(['CURSOR_EXPIRED', 'CURSOR_INVALID', 'CURSOR_FOREIGN'])(
    'discards a cursor refused with %s, reports the reset, and continues from now',
    async (code) => {
      const { seen, resets, ends } = collect(fixture.connect());
      await fixture.untilSubscribed(1);
      fixture.gateway.publish('a', 5);
      await until(() => seen.length === 1, { what: 'a cursor' });
      fixture.gateway.refuseCursorWith = code;
      fixture.gateway.drop();
      await fixture.untilSubscribed(3);
      // The log may have been re-created: a lower version is not a repeat.
      fixture.gateway.publish('a', 1);
      await until(() => seen.length === 2, { what: 'the change after' });
      expect(fixture.gateway.cursorsSeen).toEqual([undefined, '1', undefined]);
      expect(resets).toEqual([code]);
      expect(seen).toEqual(['a@5', 'a@1']);
      expect(ends).toEqual([]);
    },
  );

  it('reports NO_CURSOR when the connection ended before the first result', async () => {
    const { resets } = collect(fixture.connect());
    await fixture.untilSubscribed(1);
    fixture.gateway.drop();
    await until(() => resets.length > 0, { what: 'the reset' });
    expect(fixture.gateway.cursorsSeen.length >= 2).toBe(true);
    expect(resets).toEqual(['NO_CURSOR']);
  });

  it('ends a subscription that is refused for good and keeps the others live', async () => {
    const live = fixture.connect();
    const good = collect(live);
    const bad = collect(live, 'subscription { forbidden }');
    await until(() => bad.ends.length > 0, { what: 'the refusal' });
    fixture.gateway.publish('a', 1);
    await until(() => good.seen.length === 1, { what: 'the change of the other subscription' });
    expect(bad.ends).toEqual(['FORBIDDEN']);
  });

  it('reports the completion of a subscription with one result', async () => {
    const { seen, ends } = collect(fixture.connect(), 'subscription { once }');
    await until(() => ends.length > 0, { what: 'the end' });
    expect(seen).toEqual(['once@1']);
    expect(ends).toEqual(['complete']);
  });

  it('delivers nothing after unsubscribe, also after a reconnect', async () => {
    const live = fixture.connect();
    const kept = collect(live);
    const cancelled = collect(live);
    await fixture.untilSubscribed(2);
    cancelled.unsubscribe();
    fixture.gateway.publish('a', 1);
    await until(() => kept.seen.length === 1, { what: 'the change of the other subscription' });
    fixture.gateway.drop();
    fixture.gateway.publish('a', 2);
    await until(() => kept.seen.length === 2, { what: 'its second change' });
    expect(cancelled.seen).toEqual([]);
    expect(fixture.gateway.cursorsSeen).toEqual([undefined, undefined, '1']);
  });

  it('refreshes its token after close code 4401', async () => {
    const refreshes: boolean[] = [];
    const live = fixture.connect({
      token: ({ refresh }) => {
        refreshes.push(refresh);
        return Promise.resolve('secret');
      },
    });
    fixture.gateway.closeNextConnectionWith = 4401;
    collect(live);
    await fixture.untilSubscribed(1);
    expect(refreshes).toEqual([false, true]);
  });

  it('does not reconnect after a final close code, and fails every subscription', async () => {
    fixture.gateway.closeNextConnectionWith = 4400;
    const live = fixture.connect();
    const { ends } = collect(live);
    await until(() => ends.length > 0, { what: 'the end' });
    const late = collect(live);
    await until(() => late.ends.length > 0, { what: 'the end of the later subscription' });
    expect([ends, late.ends]).toEqual([['BAD_REQUEST'], ['BAD_REQUEST']]);
    expect(fixture.gateway.authorizations).toHaveLength(1);
    expect(live.phase).toBe('offline');
  });

  it('retries while the server is down, and is live once it is up', async () => {
    const { port } = fixture.gateway;
    await fixture.gateway.close();
    const { seen } = collect(fixture.connect());
    await until(() => fixture.phases.filter((phase) => phase === 'offline').length >= 2, {
      what: 'two failed attempts',
    });
    await fixture.replaceGateway(false, port);
    await fixture.untilSubscribed(1);
    fixture.gateway.publish('a', 1);
    await until(() => seen.length === 1, { what: 'the change' });
  });

  it('leaves no connection behind after close', async () => {
    const live = fixture.connect();
    collect(live);
    await fixture.untilSubscribed(1);
    live.close();
    await until(() => fixture.gateway.connections === 0, { what: 'no connection' });
    await expect(live.query({ query: '{ ok }' })).rejects.toMatchObject({ code: 'CLOSED' });
  });
});
