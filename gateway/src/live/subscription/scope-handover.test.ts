import { deferred, until } from '@tidegate/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  counterAt,
  HubWorld,
  ownCounter,
  recorder,
  requestFor,
  publicCounter,
  type Counter,
} from '../hub-world.fixture.ts';
import type { LiveRequest } from '../live-request.ts';

describe('a subscription with a changed scope', () => {
  let world: HubWorld;

  beforeEach(async () => {
    world = await HubWorld.start();
  });

  afterEach(() => world[Symbol.asyncDispose]());

  const args = { id: 'a' };
  const ownRequest = (viewer: string, render?: LiveRequest['render']): LiveRequest =>
    requestFor(ownCounter(), { args, viewer, ...(render && { render }) });
  const publicRequest = (viewer: string, options: { render?: LiveRequest['render']; cursor?: string } = {}) =>
    requestFor(publicCounter(), { args, viewer, ...options });

  it('follows the old scope up to the renewal and the new scope after it', async () => {
    const sink = recorder();
    const subscription = world.hub.subscribe(ownRequest('ann'), sink);
    await world.publish('a', 1, 'ann');
    await world.publish('a', 2, 'bob');
    await world.hubHasSeen(2);
    subscription.renew(ownRequest('bob'));
    await world.publish('a', 3, 'ann');
    await world.publish('a', 4, 'bob');
    await until(() => sink.versions().includes(4), { what: 'the change under the new scope' });
    expect(sink.versions()).toEqual([1, 4]);
    expect(world.hub.groups).toBe(1);
  });

  it('ignores a renewal with the same scope', async () => {
    const sink = recorder();
    const subscription = world.hub.subscribe(ownRequest('ann'), sink);
    subscription.renew(ownRequest('ann'));
    await world.publish('a', 1);
    await until(() => sink.received.length > 0, { what: 'the change' });
    expect(sink.versions()).toEqual([1]);
    expect([world.hub.groups, world.hub.subscriptions]).toEqual([1, 1]);
  });

  it('delivers the changes that its old group still renders before those of the new group', async () => {
    const [old, young] = [deferred(), deferred()];
    const slow =
      (gate: Promise<unknown>): LiveRequest['render'] =>
      async (data) => {
        await gate;
        return { data: data as Record<string, unknown> };
      };
    const neighbour = recorder();
    world.hub.subscribe(publicRequest('bob', { render: slow(young.promise) }), neighbour);
    const sink = recorder();
    const subscription = world.hub.subscribe(publicRequest('ann', { render: slow(old.promise) }), sink);
    for (const version of [1, 2]) await world.publish('a', version);
    await world.hubHasSeen(2);
    subscription.renew(publicRequest('bob'));
    for (const version of [3, 4]) await world.publish('a', version);
    await world.hubHasSeen(4);
    young.resolve();
    await until(() => neighbour.received.length === 4, { what: 'the new group to be done' });
    expect(sink.received).toEqual([]);
    old.resolve();
    await until(() => sink.received.length === 4, { what: 'all changes' });
    expect(sink.versions()).toEqual([1, 2, 3, 4]);
    expect(world.hub.groups).toBe(1);
  });

  it('binds cursors to the new scope from the renewal on, including those of changes that are still being rendered', async () => {
    const gate = deferred();
    const render: LiveRequest['render'] = async (data) => {
      await gate.promise;
      return { data: data as Record<string, unknown> };
    };
    const sink = recorder();
    const subscription = world.hub.subscribe(publicRequest('ann', { render }), sink);
    for (const version of [1, 2]) await world.publish('a', version);
    await world.hubHasSeen(2);
    subscription.renew(publicRequest('bob'));
    gate.resolve();
    await until(() => sink.positions.length > 1, { what: 'a position under the new scope' });
    expect(sink.versions()).toEqual([1, 2]);
    subscription.stop();
    for (const [cursor, expected] of [
      [sink.received[0]!.cursor, [2, 3]],
      [sink.received[1]!.cursor, [3]],
      [sink.positions.at(-1)!, [3]],
    ] as const) {
      const again = recorder();
      world.hub.subscribe(publicRequest('bob', { cursor }), again);
      if (expected.length === 2) await world.publish('a', 3);
      await until(() => again.versions().includes(3), { what: 'the newest' });
      expect(again.versions()).toEqual(expected);
    }
  });

  it('keeps the order of changes when it is renewed while it catches up', async () => {
    for (const version of [1, 2, 3]) await world.publish('a', version);
    await world.hubHasSeen(3);
    const first = recorder();
    const before = world.hub.subscribe(publicRequest('ann'), first);
    await until(() => first.positions.length > 0, { what: 'a cursor' });
    before.stop();
    for (const version of [4, 5]) await world.publish('a', version);
    await world.hubHasSeen(5);
    const room = deferred();
    let full = true;
    const sink = { ...recorder(), ready: () => (full ? room.promise : undefined) };
    const subscription = world.hub.subscribe(publicRequest('ann', { cursor: first.positions[0]! }), sink);
    await world.publish('a', 6);
    await world.hubHasSeen(6);
    subscription.renew(publicRequest('bob'));
    await world.publish('a', 7);
    await world.hubHasSeen(7);
    full = false;
    room.resolve();
    await until(() => sink.versions().includes(7), { what: 'the newest' });
    expect(sink.versions()).toEqual([4, 5, 6, 7]);
    expect(world.hub.groups).toBe(1);
  });

  it('reads the snapshot again when the scope changes during the read', async () => {
    const gate = deferred();
    const snapshot = async () => {
      await gate.promise;
      return counterAt('a', 2, 'bob');
    };
    const sink = recorder();
    const subscription = world.hub.subscribe(requestFor(ownCounter(snapshot), { args, viewer: 'ann' }), sink);
    subscription.renew(requestFor(ownCounter(snapshot), { args, viewer: 'bob' }));
    gate.resolve();
    await world.publish('a', 3, 'bob');
    await until(() => sink.received.length === 2, { what: 'the snapshot and a change' });
    expect(sink.messages()).toEqual(['snapshot 2', 'change 3']);
    expect(world.hub.groups).toBe(1);
  });

  it('leaves all its groups when it stops during a handover', async () => {
    const gate = deferred();
    const render: LiveRequest['render'] = async (data) => {
      await gate.promise;
      return { data: data as Record<string, unknown> };
    };
    const subscription = world.hub.subscribe(publicRequest('ann', { render }), recorder());
    await world.publish('a', 1);
    await world.hubHasSeen(1);
    subscription.renew(publicRequest('bob'));
    subscription.renew(publicRequest('ann'));
    subscription.stop();
    expect([world.hub.groups, world.hub.subscriptions]).toEqual([0, 0]);
    gate.resolve();
  });

  it('delivers every version of a key once and in order through any number of scope changes', async () => {
    const render: LiveRequest['render'] = async (data) => {
      await new Promise((resolve) => setImmediate(resolve));
      return { data: data as Record<string, unknown> & Counter };
    };
    const sink = recorder();
    const subscription = world.hub.subscribe(publicRequest('v0', { render }), sink);
    for (let version = 1; version <= 60; version++) {
      await world.publish('a', version);
      if (version % 3 === 0) subscription.renew(publicRequest(`v${version % 4}`, { render }));
    }
    await until(() => sink.versions().includes(60) || sink.failure, { what: 'the last change' });
    expect(sink.failure).toBeUndefined();
    expect(sink.versions()).toEqual(Array.from({ length: 60 }, (_, index) => index + 1));
    expect(world.hub.groups).toBe(1);
  });
});
