import { until } from '@tidegate/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { allCounters, ownCounter, recorder, requestFor, HubWorld } from '../hub-world.fixture.ts';

describe('resuming from a cursor', () => {
  let world: HubWorld;

  beforeEach(async () => {
    world = await HubWorld.start();
  });

  afterEach(() => world[Symbol.asyncDispose]());

  it('delivers every change after the cursor exactly once', async () => {
    const first = recorder();
    const subscription = world.hub.subscribe(requestFor(allCounters), first);
    for (const version of [1, 2]) await world.publish('a', version);
    await until(() => first.received.length === 2, { what: 'two changes' });
    subscription.stop();
    for (const version of [3, 4]) await world.publish('a', version);
    const second = recorder();
    world.hub.subscribe(requestFor(allCounters, { cursor: first.received[0]!.cursor }), second);
    await world.publish('a', 5);
    await until(() => second.versions().includes(5), { what: 'the newest change' });
    expect(second.versions()).toEqual([2, 3, 4, 5]);
  });

  it('resumes from the cursor of a snapshot that was ahead of the log', async () => {
    const snapshot = { key: 'a', version: 2, data: { id: 'a', owner: 'ann', count: 2 } };
    const field = ownCounter(() => Promise.resolve(snapshot));
    const first = recorder();
    const subscription = world.hub.subscribe(requestFor(field, { args: { id: 'a' } }), first);
    await until(() => first.received.length === 1, { what: 'the snapshot' });
    subscription.stop();
    for (const version of [1, 2, 3]) await world.publish('a', version);
    const second = recorder();
    world.hub.subscribe(requestFor(field, { args: { id: 'a' }, cursor: first.received[0]!.cursor }), second);
    await until(() => second.received.length > 0, { what: 'the change after the snapshot' });
    expect(second.received.map(({ kind, version }) => `${kind} ${version}`)).toEqual(['change 3']);
  });

  it('reads changes from the log when a newly started replica does not hold them in its history', async () => {
    const first = recorder();
    world.hub.subscribe(requestFor(allCounters), first);
    for (let version = 1; version <= 30; version++)
      await world.publish(version % 2 ? 'a' : 'b', Math.ceil(version / 2));
    await until(() => first.received.length === 30, { what: 'thirty changes' });
    const replica = await world.startHub({ fillRecords: 2 });
    const second = recorder();
    replica.subscribe(requestFor(allCounters, { cursor: first.received[4]!.cursor }), second);
    await world.publish('a', 16);
    await until(() => second.received.some(({ key, version }) => key === 'a' && version === 16), {
      what: 'the newest',
    });
    for (const key of ['a', 'b']) {
      const versions = second.received.filter((each) => each.key === key).map(({ version }) => version);
      const before = first.received.slice(0, 5).filter((each) => each.key === key).length;
      const newest = key === 'a' ? 16 : 15;
      expect(versions).toEqual(Array.from({ length: newest - before }, (_, index) => before + 1 + index));
    }
  });

  it('rejects a cursor of another subscription with CURSOR_FOREIGN', async () => {
    const first = recorder();
    world.hub.subscribe(requestFor(allCounters), first);
    await world.publish('a', 1);
    await until(() => first.received.length === 1, { what: 'a cursor' });
    const second = recorder();
    world.hub.subscribe(
      requestFor(allCounters, { viewer: 'bob', cursor: first.received[0]!.cursor }),
      second,
    );
    await until(() => second.failure, { what: 'the refusal' });
    expect(second.failure?.code).toBe('CURSOR_FOREIGN');
  });
});
