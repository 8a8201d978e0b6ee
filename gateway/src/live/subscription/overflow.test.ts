import { TidegateError } from '@tidegate/core';
import { deferred, until } from '@tidegate/testing';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  counterAt,
  HubWorld,
  recorder,
  requestFor,
  publicCounter,
  type Recorder,
} from '../hub-world.fixture.ts';
import type { LiveRequest } from '../live-request.ts';
import type { Sink } from '../sink.ts';

const args = { id: 'a' };

/** A connection with room for a few messages and a client that reads on demand. */
class SmallConnection implements Sink {
  readonly read: Recorder = recorder();
  readonly #room: number;
  #waiting: Parameters<Sink['deliver']>[] = [];
  #isFull = false;
  #drains: (() => void)[] = [];
  #onDropped: ((dropped: number) => void) | undefined;
  /** Maximum number of queued deliveries so far. */
  maxWaiting = 0;

  constructor(room: number) {
    this.#room = room;
  }

  onDropped(listener: (dropped: number) => void): void {
    this.#onDropped = listener;
  }

  deliver(...message: Parameters<Sink['deliver']>): void {
    if (!this.#isFull) return this.read.deliver(...message);
    this.#waiting.push(message);
    this.maxWaiting = Math.max(this.maxWaiting, this.#waiting.length);
    if (this.#waiting.length <= this.#room) return;
    const last = this.#waiting.findLastIndex(([{ frames }]) => frames[0].kind === 'snapshot');
    const before = countMessages(this.#waiting.slice(0, Math.max(0, last)));
    const dropped = countMessages(this.#waiting.slice(last + 1));
    this.#waiting = this.#waiting.slice(last, last + 1).map(([batch, told = 0]) => [batch, told + before]);
    if (dropped > 0) this.#onDropped?.(dropped);
  }

  drained(): Promise<void> | undefined {
    if (!this.#isFull) return undefined;
    return new Promise((resolve) => this.#drains.push(resolve));
  }

  fill(): void {
    this.#isFull = true;
  }

  drain(): void {
    this.#isFull = false;
    for (const message of this.#waiting.splice(0)) this.read.deliver(...message);
    for (const resolve of this.#drains.splice(0)) resolve();
  }

  complete(): void {
    this.read.complete();
  }

  fail(error: TidegateError): void {
    this.read.fail(error);
  }
}

function countMessages(messages: readonly Parameters<Sink['deliver']>[]): number {
  return messages.reduce((sum, [{ frames }, told = 0]) => sum + frames.length + told, 0);
}

describe('the overflow policy `snapshot`', () => {
  let world: HubWorld;
  let connection: SmallConnection;
  const state = { version: 0, reads: 0 };

  beforeEach(async () => {
    world = await HubWorld.start();
    connection = new SmallConnection(3);
    Object.assign(state, { version: 0, reads: 0 });
  });

  afterEach(() => world[Symbol.asyncDispose]());

  const field = publicCounter(() => {
    state.reads += 1;
    return Promise.resolve(counterAt('a', state.version));
  }, 'snapshot');

  async function publish(...versions: number[]): Promise<void> {
    for (const version of versions) {
      state.version = version;
      await world.publish('a', version);
    }
    await world.hubHasSeen(state.version);
  }

  async function subscribed(request: LiveRequest = requestFor(field, { args })): Promise<void> {
    await publish(1);
    world.hub.subscribe(request, connection);
    await until(() => connection.read.received.length === 1, { what: 'the snapshot' });
  }

  it('drops queued messages and delivers a fresh snapshot when there is room, then exactly the changes after it', async () => {
    await subscribed();
    connection.fill();
    await publish(2, 3, 4, 5, 6, 7, 8);
    expect(connection.maxWaiting).toBe(4);
    expect(state.reads).toBe(1);
    connection.drain();
    await until(() => connection.read.received.length === 2, { what: 'the fresh snapshot' });
    await publish(9, 10);
    await until(() => connection.read.received.length === 4, { what: 'the changes after it' });
    expect(connection.read.messages()).toEqual(['snapshot 1', 'snapshot 8', 'change 9', 'change 10']);
    expect(connection.read.received.map(({ dropped }) => dropped)).toEqual([
      undefined,
      7,
      undefined,
      undefined,
    ]);
    expect(await world.metricsText()).toMatch(/fresh_snapshots_total\{.*reason="overflow".*\} 1/);
  });

  it('queues nothing for a subscription that waits for room', async () => {
    await subscribed();
    connection.fill();
    await publish(...Array.from({ length: 200 }, (_, index) => index + 2));
    expect([connection.maxWaiting, state.reads]).toEqual([4, 1]);
    connection.drain();
    await until(() => connection.read.received.length === 2, { what: 'the fresh snapshot' });
    expect(connection.read.received[1]).toMatchObject({ kind: 'snapshot', version: 201, dropped: 200 });
  });

  it('delivers changes that arrive during the read of the fresh snapshot after it', async () => {
    const gate = deferred();
    const gated = publicCounter(async () => {
      const read = counterAt('a', state.version);
      if (++state.reads > 1) await gate.promise;
      return read;
    }, 'snapshot');
    await subscribed(requestFor(gated, { args }));
    connection.fill();
    await publish(2, 3, 4, 5, 6);
    connection.drain();
    await until(() => state.reads === 2, { what: 'the read' });
    await publish(7, 8);
    gate.resolve();
    await until(() => connection.read.received.length === 4, { what: 'all' });
    expect(connection.read.messages()).toEqual(['snapshot 1', 'snapshot 6', 'change 7', 'change 8']);
  });

  it('reads a newer snapshot when the connection has filled up during the read', async () => {
    const gate = deferred();
    const gated = publicCounter(async () => {
      const read = counterAt('a', state.version);
      if (++state.reads === 2) await gate.promise;
      return read;
    }, 'snapshot');
    await subscribed(requestFor(gated, { args }));
    connection.fill();
    await publish(2, 3, 4, 5);
    connection.drain();
    await until(() => state.reads === 2, { what: 'the fresh snapshot to be read' });
    connection.fill();
    gate.resolve();
    await publish(6, 7, 8, 9);
    connection.drain();
    await until(() => connection.read.versions().includes(9), { what: 'the newest' });
    expect(connection.read.messages()).toEqual(['snapshot 1', 'snapshot 9']);
    expect(connection.read.received[1]?.dropped).toBe(8);
  });

  it('resumes after a disconnect from the last delivered message, not from a dropped one', async () => {
    await subscribed();
    connection.fill();
    await publish(2, 3, 4, 5, 6);
    const again = recorder();
    world.hub.subscribe(requestFor(field, { args, cursor: connection.read.received[0]!.cursor }), again);
    await until(() => again.received.length === 5, { what: 'the dropped messages' });
    expect(again.messages()).toEqual(['change 2', 'change 3', 'change 4', 'change 5', 'change 6']);
  });

  it('retries a retryable error of the read and fails with any other', async () => {
    const answers = [
      () => Promise.resolve(counterAt('a', 1)),
      () => Promise.reject(new TidegateError('UNAVAILABLE', 'away')),
      () => Promise.resolve(counterAt('a', 5)),
      () => Promise.reject(new TidegateError('FORBIDDEN', 'not any more')),
    ];
    const failing = publicCounter(() => answers.shift()!(), 'snapshot');
    await subscribed(requestFor(failing, { args }));
    connection.fill();
    await publish(2, 3, 4, 5);
    connection.drain();
    await until(() => connection.read.received.length === 2, { what: 'the second try' });
    connection.fill();
    await publish(6, 7, 8, 9);
    connection.drain();
    await until(() => connection.read.failure, { what: 'the end' });
    expect(connection.read.messages()).toEqual(['snapshot 1', 'snapshot 5']);
    expect(connection.read.failure?.code).toBe('FORBIDDEN');
  });

  it('continues under the new scope when the scope changes while it waits for room', async () => {
    await publish(1);
    const subscription = world.hub.subscribe(requestFor(field, { args, viewer: 'ann' }), connection);
    await until(() => connection.read.received.length === 1, { what: 'the snapshot' });
    connection.fill();
    await publish(2, 3, 4, 5);
    subscription.renew(requestFor(field, { args, viewer: 'bob' }));
    await publish(6);
    connection.drain();
    await until(() => connection.read.received.length === 2, { what: 'the fresh snapshot' });
    await publish(7);
    await until(() => connection.read.received.length === 3, { what: 'the change after it' });
    expect(connection.read.messages()).toEqual(['snapshot 1', 'snapshot 6', 'change 7']);
    subscription.stop();
    const again = recorder();
    const { cursor } = connection.read.received[1]!;
    world.hub.subscribe(requestFor(field, { args, viewer: 'bob', cursor }), again);
    await until(() => again.received.length === 1, { what: 'the change after the fresh snapshot' });
    expect(again.messages()).toEqual(['change 7']);
  });

  it('delivers consecutive versions, or a snapshot with the number of messages dropped, at any reading speed', async () => {
    const steps = fc.array(fc.constantFrom('publish', 'publish', 'publish', 'fill', 'drain'), {
      maxLength: 60,
    });
    await fc.assert(
      fc.asyncProperty(steps, fc.boolean(), async (actions, slow) => {
        await using fresh = await HubWorld.start();
        const small = new SmallConnection(2);
        let version = 1;
        const state = publicCounter(async () => {
          const read = counterAt('a', version);
          if (slow) await new Promise((resolve) => setImmediate(resolve));
          return read;
        }, 'snapshot');
        const render: LiveRequest['render'] = slow
          ? async (data) => {
              await new Promise((resolve) => setImmediate(resolve));
              return { data: data as Record<string, unknown> };
            }
          : (data) => ({ data: data as Record<string, unknown> });
        fresh.hub.subscribe(requestFor(state, { args, render }), small);
        await fresh.publish('a', 1);
        for (const action of actions) {
          if (action === 'fill') small.fill();
          else if (action === 'drain') small.drain();
          else await fresh.publish('a', ++version);
        }
        small.drain();
        await until(() => small.read.versions().at(-1) === version || small.read.failure, {
          what: 'the newest version',
        });
        expect(small.read.failure).toBeUndefined();
        let before = 0;
        for (const [index, each] of small.read.received.entries()) {
          if (index > 0 && each.kind === 'snapshot') {
            expect(each.version).toBeGreaterThan(before);
            expect(each.dropped).toBeGreaterThan(0);
          } else if (index > 0) {
            expect([each.version, each.dropped]).toEqual([before + 1, undefined]);
          }
          before = each.version;
        }
      }),
      { numRuns: 60 },
    );
  });
});
