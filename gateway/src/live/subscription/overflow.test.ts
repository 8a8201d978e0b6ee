import { TidegateError } from '@tidegate/core';
import { deferred, until } from '@tidegate/testing';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { counted, HubWorld, recorder, requestFor, shown, type Recorder } from '../hub-world.fixture.ts';
import type { LiveRequest } from '../live-request.ts';
import type { Sink } from '../sink.ts';

const args = { id: 'a' };

/** A connection with room for a few messages, of a client that reads when the test says so. */
class SmallConnection implements Sink {
  readonly read: Recorder = recorder();
  readonly #room: number;
  #waiting: Parameters<Sink['deliver']>[] = [];
  #isFull = false;
  #drains: (() => void)[] = [];
  #tell: ((dropped: number) => void) | undefined;
  /** The most that ever waited. */
  most = 0;

  constructor(room: number) {
    this.#room = room;
  }

  onDropped(listener: (dropped: number) => void): void {
    this.#tell = listener;
  }

  deliver(...message: Parameters<Sink['deliver']>): void {
    if (!this.#isFull) return this.read.deliver(...message);
    this.#waiting.push(message);
    this.most = Math.max(this.most, this.#waiting.length);
    if (this.#waiting.length <= this.#room) return;
    const last = this.#waiting.findLastIndex(([{ frames }]) => frames[0].kind === 'snapshot');
    const before = count(this.#waiting.slice(0, Math.max(0, last)));
    const dropped = count(this.#waiting.slice(last + 1));
    this.#waiting = this.#waiting.slice(last, last + 1).map(([batch, told = 0]) => [batch, told + before]);
    if (dropped > 0) this.#tell?.(dropped);
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

function count(messages: readonly Parameters<Sink['deliver']>[]): number {
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

  const field = shown(() => {
    state.reads += 1;
    return Promise.resolve(counted('a', state.version));
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

  it('drops what waits and sends a fresh snapshot when there is room, then exactly the changes after it', async () => {
    await subscribed();
    connection.fill();
    await publish(2, 3, 4, 5, 6, 7, 8);
    expect(connection.most).toBe(4);
    expect(state.reads).toBe(1);
    connection.drain();
    await until(() => connection.read.received.length === 2, { what: 'the fresh snapshot' });
    await publish(9, 10);
    await until(() => connection.read.received.length === 4, { what: 'the changes after it' });
    expect(connection.read.said()).toEqual(['snapshot 1', 'snapshot 8', 'change 9', 'change 10']);
    expect(connection.read.received.map(({ dropped }) => dropped)).toEqual([
      undefined,
      7,
      undefined,
      undefined,
    ]);
    expect(await world.metricsText()).toMatch(/fresh_snapshots_total\{.*reason="overflow".*\} 1/);
  });

  it('nothing accumulates for a subscription that waits for room', async () => {
    await subscribed();
    connection.fill();
    await publish(...Array.from({ length: 200 }, (_, index) => index + 2));
    expect([connection.most, state.reads]).toEqual([4, 1]);
    connection.drain();
    await until(() => connection.read.received.length === 2, { what: 'the fresh snapshot' });
    expect(connection.read.received[1]).toMatchObject({ kind: 'snapshot', version: 201, dropped: 200 });
  });

  it('changes that come while the fresh snapshot is read follow it', async () => {
    const gate = deferred();
    const gated = shown(async () => {
      const read = counted('a', state.version);
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
    expect(connection.read.said()).toEqual(['snapshot 1', 'snapshot 6', 'change 7', 'change 8']);
  });

  it('where others fill the connection while it is read, a newer one is sent when there is room', async () => {
    const gate = deferred();
    const gated = shown(async () => {
      const read = counted('a', state.version);
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
    expect(connection.read.said()).toEqual(['snapshot 1', 'snapshot 9']);
    expect(connection.read.received[1]?.dropped).toBe(8);
  });

  it('comes back after a cut with the cursor of what was sent, not of what was dropped', async () => {
    await subscribed();
    connection.fill();
    await publish(2, 3, 4, 5, 6);
    const again = recorder();
    world.hub.subscribe(requestFor(field, { args, cursor: connection.read.received[0]!.cursor }), again);
    await until(() => again.received.length === 5, { what: 'what was dropped' });
    expect(again.said()).toEqual(['change 2', 'change 3', 'change 4', 'change 5', 'change 6']);
  });

  it('an error of the read that may pass is tried again, another ends the operation', async () => {
    const answers = [
      () => Promise.resolve(counted('a', 1)),
      () => Promise.reject(new TidegateError('UNAVAILABLE', 'away')),
      () => Promise.resolve(counted('a', 5)),
      () => Promise.reject(new TidegateError('FORBIDDEN', 'not any more')),
    ];
    const failing = shown(() => answers.shift()!(), 'snapshot');
    await subscribed(requestFor(failing, { args }));
    connection.fill();
    await publish(2, 3, 4, 5);
    connection.drain();
    await until(() => connection.read.received.length === 2, { what: 'the second try' });
    connection.fill();
    // Later than a fresh snapshot is shared.
    await publish(6, 7, 8, 9);
    connection.drain();
    await until(() => connection.read.failure, { what: 'the end' });
    expect(connection.read.said()).toEqual(['snapshot 1', 'snapshot 5']);
    expect(connection.read.failure?.code).toBe('FORBIDDEN');
  });

  it('goes on under the rights of now when they change while it waits for room', async () => {
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
    expect(connection.read.said()).toEqual(['snapshot 1', 'snapshot 6', 'change 7']);
    subscription.stop();
    const again = recorder();
    const { cursor } = connection.read.received[1]!;
    world.hub.subscribe(requestFor(field, { args, viewer: 'bob', cursor }), again);
    await until(() => again.received.length === 1, { what: 'what comes after the fresh snapshot' });
    expect(again.said()).toEqual(['change 7']);
  });

  it('whenever a client reads, each message follows the one before it or says what it stands for', async () => {
    const steps = fc.array(fc.constantFrom('publish', 'publish', 'publish', 'fill', 'drain'), {
      maxLength: 60,
    });
    await fc.assert(
      fc.asyncProperty(steps, fc.boolean(), async (actions, slow) => {
        await using fresh = await HubWorld.start();
        const small = new SmallConnection(2);
        let version = 1;
        const state = shown(async () => {
          const read = counted('a', version);
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
