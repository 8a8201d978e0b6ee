import { deferred, until } from '@tidegate/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { all, counterRecord, HubWorld, recorder, requestFor, type Recorder } from '../hub-world.fixture.ts';
import type { LiveHub } from '../hub.ts';
import type { LiveRequest } from '../live-request.ts';

const MISSED = 500;

describe('what several clients missed', () => {
  let world: HubWorld;
  let cursor: string;

  beforeEach(async () => {
    world = await HubWorld.start();
    const first = recorder();
    const subscription = world.hub.subscribe(requestFor(all), first);
    await world.publish('a', 1);
    await until(() => first.received.length === 1, { what: 'a cursor' });
    subscription.stop();
    cursor = first.received[0]!.cursor;
    await world.append(Array.from({ length: MISSED }, (_, index) => counterRecord('a', index + 2)));
    await world.hubHasSeen(MISSED + 1);
  });

  afterEach(() => world[Symbol.asyncDispose]());

  const everything = Array.from({ length: MISSED }, (_, index) => index + 2);

  async function comeBack(hub: LiveHub, count: number): Promise<{ sinks: Recorder[]; executions: number }> {
    let executions = 0;
    const render: LiveRequest['render'] = (data) => {
      executions += 1;
      return { data: data as Record<string, unknown> };
    };
    const sinks = Array.from({ length: count }, () => recorder());
    for (const sink of sinks) hub.subscribe(requestFor(all, { cursor, render }), sink);
    await until(() => sinks.every(({ received }) => received.length === MISSED), { what: 'everything' });
    return { sinks, executions };
  }

  const heldBytes = async (): Promise<number> =>
    Number(/^tidegate_live_replay_bytes (\d+)/m.exec(await world.metricsText())?.[1]);

  it('is read and executed once for all of them', async () => {
    const { sinks, executions } = await comeBack(world.hub, 5);
    for (const sink of sinks) expect(sink.versions()).toEqual(everything);
    expect(executions).toBe(MISSED);
    expect(await heldBytes()).toBeGreaterThan(MISSED * 50);
  });

  it('is made for each alone beyond the budget of all replays of the process', async () => {
    const small = await world.startHub({ replayBytes: 100_000 });
    const { sinks, executions } = await comeBack(small, 3);
    for (const sink of sinks) expect(sink.versions()).toEqual(everything);
    expect(executions).toBeGreaterThan(MISSED);
    expect(executions).toBeLessThan(4 * MISSED);
  });

  it('is given back with the last of them', async () => {
    const sinks = [recorder(), recorder()];
    const open = sinks.map((sink) => world.hub.subscribe(requestFor(all, { cursor }), sink));
    await until(() => sinks.every(({ received }) => received.length === MISSED), { what: 'everything' });
    expect(await heldBytes()).toBeGreaterThan(0);
    for (const subscription of open) subscription.stop();
    await until(async () => (await heldBytes()) === 0, { what: 'nothing to be held' });
  });

  it('is given back also when a client goes in the middle of it', async () => {
    const room = deferred();
    let full = true;
    const sink = { ...recorder(), ready: () => (full ? room.promise : undefined) };
    const subscription = world.hub.subscribe(requestFor(all, { cursor }), sink);
    await until(async () => (await heldBytes()) > 0, { what: 'something to be held' });
    subscription.stop();
    full = false;
    room.resolve();
    await until(async () => (await heldBytes()) === 0, { what: 'nothing to be held' });
  });
});
