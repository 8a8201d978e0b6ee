import { deferred, until } from '@tidegate/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ownCounter, recorder, requestFor, HubWorld } from '../hub-world.fixture.ts';

describe('the first snapshot of a subscription', () => {
  let world: HubWorld;

  beforeEach(async () => {
    world = await HubWorld.start();
  });

  afterEach(() => world[Symbol.asyncDispose]());

  it('is followed by exactly the changes after its version', async () => {
    const gate = deferred();
    const field = ownCounter(async () => {
      await gate.promise;
      return { key: 'a', version: 2, data: { id: 'a', owner: 'ann', count: 2 } };
    });
    const sink = recorder();
    world.hub.subscribe(requestFor(field, { args: { id: 'a' } }), sink);
    for (const version of [1, 2, 3]) await world.publish('a', version);
    gate.resolve();
    await world.publish('a', 4);
    await until(() => sink.received.length === 3, { what: 'the snapshot and two changes' });
    expect(sink.received.map(({ kind, version }) => `${kind} ${version}`)).toEqual([
      'snapshot 2',
      'change 3',
      'change 4',
    ]);
  });

  it('fails with NOT_FOUND when there is no state or the scope does not see it', async () => {
    const none = recorder();
    world.hub.subscribe(
      requestFor(
        ownCounter(() => Promise.resolve(undefined)),
        { args: { id: 'a' } },
      ),
      none,
    );
    const foreign = recorder();
    const bobs = { key: 'b', version: 1, data: { id: 'b', owner: 'bob', count: 1 } };
    world.hub.subscribe(
      requestFor(
        ownCounter(() => Promise.resolve(bobs)),
        { args: { id: 'b' } },
      ),
      foreign,
    );
    await until(() => none.failure && foreign.failure, { what: 'two refusals' });
    expect([none.failure?.code, foreign.failure?.code]).toEqual(['NOT_FOUND', 'NOT_FOUND']);
    expect(world.hub.subscriptions).toBe(0);
  });
});
