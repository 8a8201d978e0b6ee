import { deferred, until } from '@tidegate/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { counted, HubWorld, one, recorder, requestFor, shown, type Counter } from '../hub-world.fixture.ts';
import type { LiveRequest } from '../live-request.ts';

describe('a subscription whose rights change', () => {
  let world: HubWorld;

  beforeEach(async () => {
    world = await HubWorld.start();
  });

  afterEach(() => world[Symbol.asyncDispose]());

  const args = { id: 'a' };
  const ofViewer = (viewer: string, render?: LiveRequest['render']): LiveRequest =>
    requestFor(one(), { args, viewer, ...(render && { render }) });
  const toEverybody = (viewer: string, options: { render?: LiveRequest['render']; cursor?: string } = {}) =>
    requestFor(shown(), { args, viewer, ...options });

  it('follows the old scope up to the call and the new one after it', async () => {
    const sink = recorder();
    const subscription = world.hub.subscribe(ofViewer('ann'), sink);
    await world.publish('a', 1, 'ann');
    await world.publish('a', 2, 'bob');
    await world.hubHasSeen(2);
    subscription.renew(ofViewer('bob'));
    await world.publish('a', 3, 'ann');
    await world.publish('a', 4, 'bob');
    await until(() => sink.versions().includes(4), { what: 'the change under the new scope' });
    expect(sink.versions()).toEqual([1, 4]);
    expect(world.hub.groups).toBe(1);
  });

  it('does nothing when the scope is the same', async () => {
    const sink = recorder();
    const subscription = world.hub.subscribe(ofViewer('ann'), sink);
    subscription.renew(ofViewer('ann'));
    await world.publish('a', 1);
    await until(() => sink.received.length > 0, { what: 'the change' });
    expect(sink.versions()).toEqual([1]);
    expect([world.hub.groups, world.hub.subscriptions]).toEqual([1, 1]);
  });

  it('gets what its old group still renders before anything of the new one', async () => {
    const [old, young] = [deferred(), deferred()];
    const slow =
      (gate: Promise<unknown>): LiveRequest['render'] =>
      async (data) => {
        await gate;
        return { data: data as Record<string, unknown> };
      };
    const neighbour = recorder();
    world.hub.subscribe(toEverybody('bob', { render: slow(young.promise) }), neighbour);
    const sink = recorder();
    const subscription = world.hub.subscribe(toEverybody('ann', { render: slow(old.promise) }), sink);
    for (const version of [1, 2]) await world.publish('a', version);
    await world.hubHasSeen(2);
    subscription.renew(toEverybody('bob'));
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

  it('has cursors of the new scope from the call on, also with changes that were still on their way', async () => {
    const gate = deferred();
    const render: LiveRequest['render'] = async (data) => {
      await gate.promise;
      return { data: data as Record<string, unknown> };
    };
    const sink = recorder();
    const subscription = world.hub.subscribe(toEverybody('ann', { render }), sink);
    for (const version of [1, 2]) await world.publish('a', version);
    await world.hubHasSeen(2);
    subscription.renew(toEverybody('bob'));
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
      world.hub.subscribe(toEverybody('bob', { cursor }), again);
      if (expected.length === 2) await world.publish('a', 3);
      await until(() => again.versions().includes(3), { what: 'the newest' });
      expect(again.versions()).toEqual(expected);
    }
  });

  it('goes on in order when it is renewed while it catches up', async () => {
    for (const version of [1, 2, 3]) await world.publish('a', version);
    await world.hubHasSeen(3);
    const first = recorder();
    const before = world.hub.subscribe(toEverybody('ann'), first);
    await until(() => first.positions.length > 0, { what: 'a cursor' });
    before.stop();
    for (const version of [4, 5]) await world.publish('a', version);
    await world.hubHasSeen(5);
    const room = deferred();
    let full = true;
    const sink = { ...recorder(), ready: () => (full ? room.promise : undefined) };
    const subscription = world.hub.subscribe(toEverybody('ann', { cursor: first.positions[0]! }), sink);
    await world.publish('a', 6);
    await world.hubHasSeen(6);
    subscription.renew(toEverybody('bob'));
    await world.publish('a', 7);
    await world.hubHasSeen(7);
    full = false;
    room.resolve();
    await until(() => sink.versions().includes(7), { what: 'the newest' });
    expect(sink.versions()).toEqual([4, 5, 6, 7]);
    expect(world.hub.groups).toBe(1);
  });

  it('shows the snapshot by the rights of now when they change while it is read', async () => {
    const gate = deferred();
    const snapshot = async () => {
      await gate.promise;
      return counted('a', 2, 'bob');
    };
    const sink = recorder();
    const subscription = world.hub.subscribe(requestFor(one(snapshot), { args, viewer: 'ann' }), sink);
    subscription.renew(requestFor(one(snapshot), { args, viewer: 'bob' }));
    gate.resolve();
    await world.publish('a', 3, 'bob');
    await until(() => sink.received.length === 2, { what: 'the snapshot and a change' });
    expect(sink.said()).toEqual(['snapshot 2', 'change 3']);
    expect(world.hub.groups).toBe(1);
  });

  it('ends in no group whatever it went through', async () => {
    const gate = deferred();
    const render: LiveRequest['render'] = async (data) => {
      await gate.promise;
      return { data: data as Record<string, unknown> };
    };
    const subscription = world.hub.subscribe(toEverybody('ann', { render }), recorder());
    await world.publish('a', 1);
    await world.hubHasSeen(1);
    subscription.renew(toEverybody('bob'));
    subscription.renew(toEverybody('ann'));
    subscription.stop();
    expect([world.hub.groups, world.hub.subscriptions]).toEqual([0, 0]);
    gate.resolve();
  });

  it('keeps every version of a key, in order and once, however often its rights change', async () => {
    const render: LiveRequest['render'] = async (data) => {
      await new Promise((resolve) => setImmediate(resolve));
      return { data: data as Record<string, unknown> & Counter };
    };
    const sink = recorder();
    const subscription = world.hub.subscribe(toEverybody('v0', { render }), sink);
    for (let version = 1; version <= 60; version++) {
      await world.publish('a', version);
      if (version % 3 === 0) subscription.renew(toEverybody(`v${version % 4}`, { render }));
    }
    await until(() => sink.versions().includes(60) || sink.failure, { what: 'the last change' });
    expect(sink.failure).toBeUndefined();
    expect(sink.versions()).toEqual(Array.from({ length: 60 }, (_, index) => index + 1));
    expect(world.hub.groups).toBe(1);
  });
});
