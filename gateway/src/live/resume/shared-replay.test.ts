import { deferred, until } from '@tidegate/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  allCounters,
  counterRecord,
  HubWorld,
  recorder,
  requestFor,
  type Recorder,
} from '../hub-world.fixture.ts';
import type { LiveHub } from '../hub.ts';
import type { LiveRequest } from '../live-request.ts';

const MISSED = 500;

describe('a shared replay', () => {
  let world: HubWorld;
  let cursor: string;

  beforeEach(async () => {
    world = await HubWorld.start();
    const first = recorder();
    const subscription = world.hub.subscribe(requestFor(allCounters), first);
    await world.publish('a', 1);
    await until(() => first.received.length === 1, { what: 'a cursor' });
    subscription.stop();
    cursor = first.received[0]!.cursor;
    await world.append(Array.from({ length: MISSED }, (_, index) => counterRecord('a', index + 2)));
    await world.hubHasSeen(MISSED + 1);
  });

  afterEach(() => world[Symbol.asyncDispose]());

  const everything = Array.from({ length: MISSED }, (_, index) => index + 2);

  async function resume(hub: LiveHub, count: number): Promise<{ sinks: Recorder[]; executions: number }> {
    let executions = 0;
    const render: LiveRequest['render'] = (data) => {
      executions += 1;
      return { data: data as Record<string, unknown> };
    };
    const sinks = Array.from({ length: count }, () => recorder());
    for (const sink of sinks) hub.subscribe(requestFor(allCounters, { cursor, render }), sink);
    await until(() => sinks.every(({ received }) => received.length === MISSED), { what: 'everything' });
    return { sinks, executions };
  }

  const cachedBytes = async (): Promise<number> =>
    Number(/^tidegate_live_replay_bytes (\d+)/m.exec(await world.metricsText())?.[1]);

  it('is read and executed once for all clients with the same cursor', async () => {
    const { sinks, executions } = await resume(world.hub, 5);
    for (const sink of sinks) expect(sink.versions()).toEqual(everything);
    expect(executions).toBe(MISSED);
    expect(await cachedBytes()).toBeGreaterThan(MISSED * 50);
  });

  it('is rendered for each client individually beyond the memory limit of the hub', async () => {
    const small = await world.startHub({ replayBytes: 100_000 });
    const { sinks, executions } = await resume(small, 3);
    for (const sink of sinks) expect(sink.versions()).toEqual(everything);
    expect(executions).toBeGreaterThan(MISSED);
    expect(executions).toBeLessThan(4 * MISSED);
  });

  it('releases its memory when the last subscription of the group ends', async () => {
    const sinks = [recorder(), recorder()];
    const open = sinks.map((sink) => world.hub.subscribe(requestFor(allCounters, { cursor }), sink));
    await until(() => sinks.every(({ received }) => received.length === MISSED), { what: 'everything' });
    expect(await cachedBytes()).toBeGreaterThan(0);
    for (const subscription of open) subscription.stop();
    await until(async () => (await cachedBytes()) === 0, { what: 'nothing to be held' });
  });

  it('releases its memory when a client leaves in the middle of it', async () => {
    const room = deferred();
    let full = true;
    const sink = { ...recorder(), ready: () => (full ? room.promise : undefined) };
    const subscription = world.hub.subscribe(requestFor(allCounters, { cursor }), sink);
    await until(async () => (await cachedBytes()) > 0, { what: 'something to be held' });
    subscription.stop();
    full = false;
    room.resolve();
    await until(async () => (await cachedBytes()) === 0, { what: 'nothing to be held' });
  });
});
