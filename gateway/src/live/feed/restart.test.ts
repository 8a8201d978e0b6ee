import { silentLogger } from '@tidegate/runtime/telemetry';
import { TidegateError } from '@tidegate/core';
import type { EventLog, Tail, TailOptions } from '@tidegate/event-log';
import { createSqliteEventLog } from '@tidegate/event-log/sqlite';
import { override, until } from '@tidegate/testing';
import { afterEach, describe, expect, it } from 'vitest';
import {
  allCounters,
  counterRecord,
  HubWorld,
  isFlowing,
  recorder,
  requestFor,
} from '../hub-world.fixture.ts';
import type { LiveHub } from '../hub.ts';

/** A log whose newest tail can be ended, and whose next ones can be made to fail. */
class EndableLog {
  readonly log: EventLog;
  away = false;
  #options: TailOptions | undefined;
  #tail: Tail | undefined;

  constructor(log: EventLog) {
    this.log = override(log, {
      tail: async (options) => {
        if (this.away) throw new Error('the log is away');
        this.#options = options;
        return (this.#tail = await log.tail(options));
      },
    });
  }

  async end(error = new Error('the position is out of range')): Promise<void> {
    await this.#tail?.stop();
    this.#options?.onEnd?.(error);
  }
}

describe('a stream whose tail has ended', () => {
  let world: HubWorld;
  let hub: LiveHub;
  let endable: EndableLog;

  afterEach(() => world[Symbol.asyncDispose]());

  async function start(): Promise<void> {
    world = await HubWorld.start();
    endable = new EndableLog(world.log);
    hub = await world.startHub({ log: endable.log });
  }

  const flows = (): boolean => isFlowing(hub);

  it('is started again: the hub is not ready meanwhile, and ready afterwards', async () => {
    await start();
    endable.away = true;
    await endable.end();
    expect(() => hub.checkFlow()).toThrow('the position is out of range');
    endable.away = false;
    await until(flows, { what: 'the tail runs again' });
    const sink = recorder();
    hub.subscribe(requestFor(allCounters), sink);
    await world.publish('a', 1);
    await until(() => sink.received.length === 1, { what: 'a change' });
    await endable.end();
    expect(flows()).toBe(false);
    await until(flows, { what: 'the tail runs once more' });
  });

  it('ends its subscriptions with UNAVAILABLE; with their cursor they miss and repeat nothing', async () => {
    await start();
    const before = recorder();
    hub.subscribe(requestFor(allCounters), before);
    await world.publish('a', 1);
    await until(() => before.received.length === 1, { what: 'the first change' });
    endable.away = true;
    await endable.end();
    expect(before.failure).toMatchObject({ code: 'UNAVAILABLE' });
    await world.publish('a', 2);
    const refused = recorder();
    hub.subscribe(requestFor(allCounters), refused);
    await until(() => refused.failure?.code === 'UNAVAILABLE', { what: 'a refusal' });
    endable.away = false;
    await until(flows, { what: 'the tail runs again' });
    const after = recorder();
    hub.subscribe(requestFor(allCounters, { cursor: before.received[0]!.cursor }), after);
    await world.publish('a', 3);
    await until(() => after.received.length >= 2, { what: 'the missed change and the next' });
    expect(after.versions()).toEqual([2, 3]);
    expect(hub.subscriptions).toBe(1);
  });

  it('ends its subscriptions with CURSOR_EXPIRED when the log does not hold its position any more', async () => {
    await start();
    const before = recorder();
    hub.subscribe(requestFor(allCounters), before);
    await endable.end(new TidegateError('LOG_POSITION_OUT_OF_RANGE', 'the log was rolled back'));
    expect(before.failure).toMatchObject({ code: 'CURSOR_EXPIRED' });
    await until(flows, { what: 'the tail runs again' });
  });

  it('refuses a cursor beyond the end of a log that was rolled back', async () => {
    await start();
    const before = recorder();
    hub.subscribe(requestFor(allCounters), before);
    for (const version of [1, 2, 3]) await world.publish('a', version);
    await until(() => before.received.length === 3, { what: 'three changes' });
    // The same topic after the loss of its last records.
    const rolledBack = createSqliteEventLog({ path: ':memory:', logger: silentLogger });
    const topic = hub.feeds[0]!.topic;
    await rolledBack.ensureTopics([{ name: topic, partitions: 4, cleanup: 'compact', retentionMs: 1e9 }]);
    await rolledBack.append(topic, [counterRecord('a', 1)]);
    const epoch = await world.log.epoch(topic);
    const replica = await world.startHub({
      log: override(rolledBack, { epoch: async () => epoch }),
      reachTimeoutMs: 50,
    });
    const after = recorder();
    replica.subscribe(requestFor(allCounters, { cursor: before.received[2]!.cursor }), after);
    await until(() => after.failure, { what: 'a refusal' });
    expect(after.failure).toMatchObject({ code: 'CURSOR_EXPIRED' });
    await replica.stop();
    await rolledBack.close();
  });

  it('is not started while its topic keeps records for less time than cursors are valid', async () => {
    await start();
    const short = override(world.log, { keptMs: async () => 60_000 });
    await expect(world.startHub({ log: short })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(
        /keeps every record for 60000 ms.*RESUME_WINDOW_MS to at most 60000/,
      ) as string,
    });
    const replica = await world.startHub({ log: short, resumeWindowMs: 60_000 });
    expect(() => replica.checkFlow()).not.toThrow();
    const unknown = await world.startHub({ log: override(world.log, { keptMs: async () => undefined }) });
    expect(() => unknown.checkFlow()).not.toThrow();
  });

  it('delivers versions that begin anew, after its topic was created again', async () => {
    await start();
    for (const version of [1, 2, 3]) await world.publish('a', version);
    await until(() => hub.feeds[0]!.newestVersion('a') === 3, { what: 'three versions' });
    const fresh = createSqliteEventLog({ path: ':memory:', logger: silentLogger });
    await fresh.ensureTopics([
      { name: hub.feeds[0]!.topic, partitions: 4, cleanup: 'compact', retentionMs: 1e9 },
    ]);
    Object.assign(endable.log, { tail: fresh.tail.bind(fresh), ends: fresh.ends.bind(fresh) });
    await endable.end();
    await until(() => flows() && hub.feeds[0]!.newestVersion('a') === undefined, { what: 'the new topic' });
    await fresh.close();
  });

  it('is not started again once the hub stops', async () => {
    await start();
    endable.away = true;
    await endable.end();
    await hub.stop();
    endable.away = false;
    expect(() => hub.checkFlow()).toThrow('range');
  });
});
