import { deferred, until } from '@tidegate/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  allCounters,
  counterRecord,
  ownCounter,
  recorder,
  requestFor,
  HubWorld,
  type Counter,
} from './hub-world.fixture.ts';
import type { LiveRequest } from './live-request.ts';

describe('the live hub', () => {
  let world: HubWorld;

  beforeEach(async () => {
    world = await HubWorld.start();
  });

  afterEach(() => world[Symbol.asyncDispose]());

  it('delivers each change of a key once and in order', async () => {
    const sink = recorder();
    world.hub.subscribe(requestFor(allCounters), sink);
    for (let version = 1; version <= 20; version++) await world.publish('a', version);
    await until(() => sink.received.length >= 20, { what: 'twenty changes' });
    expect(sink.versions()).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
  });

  it('deduplicates a record that the relay published twice', async () => {
    const sink = recorder();
    world.hub.subscribe(requestFor(allCounters), sink);
    for (const version of [1, 2, 2, 1, 3]) await world.publish('a', version);
    await until(() => sink.versions().includes(3), { what: 'the last change' });
    expect(sink.versions()).toEqual([1, 2, 3]);
  });

  it('executes once for all subscriptions of a group', async () => {
    let executions = 0;
    const render: LiveRequest['render'] = (data) => {
      executions += 1;
      return { data: data as Record<string, unknown> };
    };
    const sinks = [recorder(), recorder(), recorder()];
    for (const sink of sinks) world.hub.subscribe(requestFor(allCounters, { render }), sink);
    expect(world.hub.groups).toBe(1);
    await world.publish('a', 1);
    await until(() => sinks.every((sink) => sink.received.length === 1), { what: 'all three' });
    expect(executions).toBe(1);
  });

  it('delivers a change only to subscriptions with a scope that sees it', async () => {
    const field = ownCounter();
    const [ann, bob] = [recorder(), recorder()];
    world.hub.subscribe(requestFor(field, { args: { id: 'a' }, viewer: 'ann' }), ann);
    world.hub.subscribe(requestFor(field, { args: { id: 'a' }, viewer: 'bob' }), bob);
    await world.publish('a', 1, 'ann');
    await world.publish('a', 2, 'bob');
    await until(() => ann.received.length === 1 && bob.received.length === 1, { what: 'one change each' });
    expect([ann.versions(), bob.versions()]).toEqual([[1], [2]]);
  });

  it('keeps the order of changes while execution is slow', async () => {
    const gate = deferred();
    const render: LiveRequest['render'] = async (data) => {
      if ((data as Counter).count === 1) await gate.promise;
      return { data: data as Record<string, unknown> };
    };
    const sink = recorder();
    world.hub.subscribe(requestFor(allCounters, { render }), sink);
    for (const version of [1, 2, 3]) await world.publish('a', version);
    gate.resolve();
    await until(() => sink.received.length === 3, { what: 'three changes' });
    expect(sink.versions()).toEqual([1, 2, 3]);
  });

  it('ends a group with its last subscription', async () => {
    const subscriptions = [
      world.hub.subscribe(requestFor(allCounters), recorder()),
      world.hub.subscribe(requestFor(allCounters), recorder()),
    ];
    expect([world.hub.groups, world.hub.subscriptions]).toEqual([1, 2]);
    for (const subscription of subscriptions) subscription.stop();
    expect([world.hub.groups, world.hub.subscriptions]).toEqual([0, 0]);
  });

  it('skips a malformed record and continues', async () => {
    const sink = recorder();
    world.hub.subscribe(requestFor(allCounters), sink);
    await world.append([{ key: 'a', value: Buffer.from('{'), headers: {} }]);
    await world.publish('a', 1);
    await until(() => sink.received.length === 1, { what: 'the change behind it' });
    expect(sink.failure).toBeUndefined();
  });

  it('delivers records of any time, and measures the delay of those whose time can be true', async () => {
    const sink = recorder();
    world.hub.subscribe(requestFor(allCounters), sink);
    const times = [0, Date.parse('3000-01-01'), Date.now()];
    for (const [index, timestampMs] of times.entries())
      await world.append([{ ...counterRecord('a', index + 1), timestampMs }]);
    await until(() => sink.received.length === times.length, { what: 'every change' });
    const body = await world.metricsText();
    const [, count] = /^tidegate_live_delay_seconds_count\{.*\} (\d+)$/m.exec(body)!;
    const [, sum] = /^tidegate_live_delay_seconds_sum\{.*\} (\S+)$/m.exec(body)!;
    expect(Number(count)).toBe(2);
    expect(Number(sum)).toBeLessThan(60);
  });

  it('ends its subscriptions with DRAINING when it stops', async () => {
    const sink = recorder();
    world.hub.subscribe(requestFor(allCounters), sink);
    await world.hub.stop();
    expect(sink.failure?.code).toBe('DRAINING');
  });
});
