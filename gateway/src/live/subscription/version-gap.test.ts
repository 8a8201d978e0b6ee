import { TidegateError } from '@tidegate/core';
import { until } from '@tidegate/testing';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  allCounters,
  counterAt,
  HubWorld,
  ownCounter,
  recorder,
  requestFor,
  publicCounter,
} from '../hub-world.fixture.ts';
import type { LiveRequest } from '../live-request.ts';

const args = { id: 'a' };

describe('a missing version of a key', () => {
  let world: HubWorld;

  beforeEach(async () => {
    world = await HubWorld.start();
  });

  afterEach(() => world[Symbol.asyncDispose]());

  /** A field with the last published version as its snapshot, and the number of snapshot reads. */
  function withState(options: Partial<LiveRequest> = {}) {
    const state = { version: 0, reads: 0 };
    const field = publicCounter(() => {
      state.reads += 1;
      return Promise.resolve(counterAt('a', state.version));
    });
    const publish = async (version: number): Promise<void> => {
      state.version = version;
      await world.publish('a', version);
    };
    return { state, publish, request: { ...requestFor(field, { args }), ...options } };
  }

  it('is replaced by a fresh snapshot when the field has one', async () => {
    const { publish, request } = withState();
    await publish(1);
    const sink = recorder();
    world.hub.subscribe(request, sink);
    await until(() => sink.received.length === 1, { what: 'the snapshot' });
    for (const version of [2, 4]) await publish(version);
    await until(() => sink.received.length === 3, { what: 'the fresh snapshot' });
    await publish(5);
    await until(() => sink.received.length === 4, { what: 'what comes after it' });
    expect(sink.messages()).toEqual(['snapshot 1', 'change 2', 'snapshot 4', 'change 5']);
  });

  it('completes a `once` field after the fresh snapshot', async () => {
    const { publish, request, state } = withState();
    const field = {
      ...request.field,
      once: true,
      snapshotOptional: true,
    };
    let reads = 0;
    const snapshot = () => Promise.resolve(reads++ === 0 ? undefined : counterAt('a', state.version));
    await publish(1);
    const sink = recorder();
    world.hub.subscribe({ ...request, field, snapshot }, sink);
    await until(() => sink.positions.length > 0, { what: 'the subscription to be live' });
    for (const version of [3, 4]) await publish(version);
    await until(() => sink.completed, { what: 'the end' });
    expect([sink.messages().length, sink.failure, world.hub.subscriptions]).toEqual([1, undefined, 0]);
  });

  it('causes one read of the snapshot for the whole group', async () => {
    const { publish, request, state } = withState();
    await publish(1);
    const sinks = [recorder(), recorder(), recorder()];
    for (const sink of sinks) world.hub.subscribe(request, sink);
    await until(() => sinks.every((sink) => sink.received.length === 1), { what: 'three snapshots' });
    expect(state.reads).toBe(3);
    await publish(3);
    await until(() => sinks.every((sink) => sink.received.length === 2), { what: 'three fresh snapshots' });
    expect(state.reads).toBe(4);
    for (const sink of sinks) expect(sink.messages()).toEqual(['snapshot 1', 'snapshot 3']);
    expect(await world.metricsText()).toMatch(/fresh_snapshots_total\{.*reason="gap".*\} 3/);
  });

  it('fails the operation with VERSION_GAP when the field has no snapshot', async () => {
    const sink = recorder();
    world.hub.subscribe(requestFor(allCounters), sink);
    for (const version of [1, 2, 4, 5]) await world.publish('a', version);
    await until(() => sink.failure, { what: 'the end' });
    expect(sink.versions()).toEqual([1, 2]);
    expect(sink.failure?.code).toBe('VERSION_GAP');
    expect(world.hub.subscriptions).toBe(0);
  });

  it('is noticed when the filter rejects the change after it, but not when the scope does not see that change', async () => {
    const even: LiveRequest['field'] = {
      ...ownCounter(),
      matches: (data) => (data as { count: number }).count % 2 === 0,
    };
    const [ann, bob] = [recorder(), recorder()];
    world.hub.subscribe(requestFor(even, { args, viewer: 'ann' }), ann);
    world.hub.subscribe(requestFor(even, { args, viewer: 'bob' }), bob);
    for (const version of [1, 2, 3, 5]) await world.publish('a', version, 'ann');
    await until(() => ann.failure, { what: 'the end' });
    expect([ann.versions(), ann.failure?.code]).toEqual([[2], 'VERSION_GAP']);
    expect([bob.versions(), bob.failure]).toEqual([[], undefined]);
  });

  it('is noticed between a snapshot and the first change after it', async () => {
    const { publish, request, state } = withState();
    state.version = 2;
    const sink = recorder();
    world.hub.subscribe(request, sink);
    await until(() => sink.received.length === 1, { what: 'the snapshot' });
    await publish(4);
    await until(() => sink.received.length === 2, { what: 'the fresh snapshot' });
    expect(sink.messages()).toEqual(['snapshot 2', 'snapshot 4']);
  });

  it('is noticed again on a resume from before it, but not on a resume from after it', async () => {
    const first = recorder();
    world.hub.subscribe(requestFor(allCounters), first);
    await world.publish('a', 1);
    await world.publish('a', 3);
    await until(() => first.failure, { what: 'the end' });
    const again = recorder();
    world.hub.subscribe(requestFor(allCounters, { cursor: first.received[0]!.cursor }), again);
    await until(() => again.failure, { what: 'the end again' });
    expect([again.versions(), again.failure?.code]).toEqual([[], 'VERSION_GAP']);
    const afresh = recorder();
    world.hub.subscribe(requestFor(allCounters), afresh);
    await until(() => afresh.positions.length > 0, { what: 'a cursor after the gap' });
    const after = recorder();
    world.hub.subscribe(requestFor(allCounters, { cursor: afresh.positions[0] }), after);
    await world.publish('a', 4);
    await until(() => after.received.length > 0, { what: 'the change after it' });
    expect([after.versions(), after.failure]).toEqual([[4], undefined]);
  });

  it('is replaced by one fresh snapshot during a replay, which then continues after it', async () => {
    const { publish, request, state } = withState();
    await publish(1);
    const first = recorder();
    const subscription = world.hub.subscribe(request, first);
    await until(() => first.positions.length > 0, { what: 'the snapshot' });
    subscription.stop();
    for (const version of [2, 4, 5]) await publish(version);
    await world.hubHasSeen(4);
    const readsBefore = state.reads;
    const second = recorder();
    const going = world.hub.subscribe({ ...request, cursor: first.received[0]!.cursor }, second);
    await until(() => second.positions.length > 0, { what: 'to be level' });
    going.stop();
    expect(second.messages()).toEqual(['change 2', 'snapshot 5']);
    expect(state.reads).toBe(readsBefore + 1);
    const third = recorder();
    world.hub.subscribe({ ...request, cursor: second.received[1]!.cursor }, third);
    await publish(6);
    await until(() => third.received.length > 0, { what: 'the change after it' });
    expect(third.messages()).toEqual(['change 6']);
  });

  it('is found by the version in the cursor on a replica that reads the log', async () => {
    const first = recorder();
    world.hub.subscribe(requestFor(publicCounter(), { args }), first);
    await world.publish('a', 1);
    await until(() => first.received.length === 1, { what: 'a cursor' });
    for (let version = 3; version < 40; version++) await world.publish('a', version);
    const replica = await world.startHub({ fillRecords: 2 });
    const second = recorder();
    replica.subscribe(requestFor(publicCounter(), { args, cursor: first.received[0]!.cursor }), second);
    await until(() => second.failure, { what: 'the end' });
    expect([second.versions(), second.failure?.code]).toEqual([[], 'VERSION_GAP']);
  });

  it('is not assumed for a version that the filter or the scope has rejected', async () => {
    const even: LiveRequest['field'] = {
      ...ownCounter(),
      matches: (data) => (data as { count: number }).count % 2 === 0,
    };
    const first = recorder();
    const subscription = world.hub.subscribe(requestFor(even, { args }), first);
    await until(() => first.positions.length > 0, { what: 'to be live' });
    for (const version of [1, 2, 3]) await world.publish('a', version);
    await world.publish('a', 4, 'bob');
    await world.publish('a', 5);
    await world.hubHasSeen(5);
    // A renewal delivers the position at once.
    subscription.renew(requestFor(even, { args, viewer: 'bob' }));
    subscription.renew(requestFor(even, { args, viewer: 'ann' }));
    subscription.stop();
    const replica = await world.startHub({ fillRecords: 0 });
    const second = recorder();
    replica.subscribe(requestFor(even, { args, cursor: first.positions.at(-1) }), second);
    await world.publish('a', 6);
    await until(() => second.received.length > 0 || second.failure, { what: 'the change' });
    expect([first.versions(), second.versions(), second.failure]).toEqual([[2], [6], undefined]);
  });

  it('retries the read of the snapshot while its source is unavailable or behind', async () => {
    const answers = [
      () => Promise.resolve(counterAt('a', 1)),
      () => Promise.reject(new TidegateError('UNAVAILABLE', 'away')),
      () => Promise.resolve(counterAt('a', 1)),
      () => Promise.resolve(counterAt('a', 3)),
    ];
    const field = publicCounter(() => answers.shift()!());
    const sink = recorder();
    world.hub.subscribe(requestFor(field, { args }), sink);
    await until(() => sink.received.length === 1, { what: 'the snapshot' });
    await world.publish('a', 1);
    await world.publish('a', 4);
    await world.publish('a', 5);
    await until(() => sink.received.length === 4, { what: 'all' });
    expect(sink.messages()).toEqual(['snapshot 1', 'snapshot 3', 'change 4', 'change 5']);
  });

  it('fails the operation with an error of the snapshot that is not retryable', async () => {
    let reads = 0;
    const field = publicCounter(() => {
      if (++reads === 1) return Promise.resolve(counterAt('a', 1));
      return Promise.reject(new TidegateError('FORBIDDEN', 'not any more'));
    });
    const sink = recorder();
    world.hub.subscribe(requestFor(field, { args }), sink);
    await until(() => sink.received.length === 1, { what: 'the snapshot' });
    await world.publish('a', 1);
    await world.publish('a', 3);
    await until(() => sink.failure, { what: 'the end' });
    expect([sink.failure?.code, reads]).toEqual(['FORBIDDEN', 2]);
  });

  it('never delivers versions with a gap, whichever versions are missing', async () => {
    const steps = fc.array(fc.constantFrom(1, 1, 1, 2, 3), { minLength: 1, maxLength: 25 });
    await fc.assert(
      fc.asyncProperty(steps, fc.boolean(), fc.nat(20), async (jumps, slow, cutAfter) => {
        await using fresh = await HubWorld.start();
        let version = 1;
        const field = publicCounter(async () => {
          const read = counterAt('a', version);
          if (slow) await new Promise((resolve) => setImmediate(resolve));
          return read;
        });
        const render: LiveRequest['render'] = slow
          ? async (data) => {
              await new Promise((resolve) => setImmediate(resolve));
              return { data: data as Record<string, unknown> };
            }
          : (data) => ({ data: data as Record<string, unknown> });
        let sink = recorder();
        const seen: string[] = [];
        let subscription = fresh.hub.subscribe(requestFor(field, { args, render }), sink);
        await fresh.publish('a', 1);
        for (const [index, jump] of jumps.entries()) {
          version += jump;
          await fresh.publish('a', version);
          if (index !== cutAfter || sink.received.length === 0) continue;
          subscription.stop();
          const cursor = sink.received.at(-1)!.cursor;
          seen.push(...sink.messages());
          sink = recorder();
          subscription = fresh.hub.subscribe(requestFor(field, { args, render, cursor }), sink);
        }
        const last = (): number => Number([...seen, ...sink.messages()].at(-1)?.split(' ')[1] ?? 0);
        await until(() => last() === version || sink.failure, { what: 'the newest version' });
        expect(sink.failure).toBeUndefined();
        let before = 0;
        for (const [index, message] of [...seen, ...sink.messages()].entries()) {
          const [kind, number] = message.split(' ');
          if (index === 0) expect(kind).toBe('snapshot');
          else if (kind === 'change') expect(Number(number)).toBe(before + 1);
          else expect(Number(number)).toBeGreaterThan(before + 1);
          before = Number(number);
        }
      }),
      { numRuns: 60 },
    );
  });
});
