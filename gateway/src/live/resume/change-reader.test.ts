import { setImmediate as nextTurn } from 'node:timers/promises';
import { sampleTopics } from '@tidegate/testing/sample-messages';
import type { EventLog, ReadOptions } from '@tidegate/event-log';
import { WorkTurns } from '@tidegate/runtime/resilience';
import { until } from '@tidegate/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  allCounters,
  counterRecord,
  HubWorld,
  recorder,
  requestFor,
  type Recorder,
} from '../hub-world.fixture.ts';
import type { LiveHub } from '../hub.ts';
import { ChangeReader } from './change-reader.ts';

const MISSED = 600;
const CLIENTS = 4;

describe('resuming over records that only the log has', () => {
  let world: HubWorld;
  let reads: ReadOptions[];
  let cursors: string[];

  beforeEach(async () => {
    world = await HubWorld.start();
    reads = [];
    const read = world.log.read.bind(world.log);
    world.log.read = (options) => {
      reads.push(options);
      return read(options);
    };
    // Cursors of different groups: each viewer has a scope of its own.
    const first = Array.from({ length: CLIENTS }, () => recorder());
    for (const [viewer, sink] of first.entries())
      world.hub.subscribe(requestFor(allCounters, { viewer: `v${viewer}` }), sink);
    await world.publish('a', 1);
    await until(() => first.every(({ received }) => received.length === 1), { what: 'cursors' });
    cursors = first.map(({ received }) => received[0]!.cursor);
    await world.append(Array.from({ length: MISSED }, (_, index) => counterRecord('a', index + 2)));
    await world.hubHasSeen(MISSED + 1);
  });

  afterEach(() => world[Symbol.asyncDispose]());

  /** Resumes all cursors on a replica with an empty history. */
  function resume(replica: LiveHub, onRender: () => void): Recorder[] {
    return cursors.map((cursor, viewer) => {
      const sink = recorder();
      const render = (data: unknown): { data: Record<string, unknown> } => {
        onRender();
        return { data: data as Record<string, unknown> };
      };
      replica.subscribe(requestFor(allCounters, { viewer: `v${viewer}`, cursor, render }), sink);
      return sink;
    });
  }

  const everything = Array.from({ length: MISSED }, (_, index) => index + 2);

  it('reads and parses each range once for all clients, whatever their groups', async () => {
    const replica = await world.startHub({ fillRecords: 2 });
    reads.length = 0;
    const sinks = resume(replica, () => undefined);
    await until(() => sinks.every(({ received }) => received.length === MISSED), { what: 'everything' });
    for (const sink of sinks) expect(sink.versions()).toEqual(everything);
    // Three chunks of the changed partition are complete; its last, still growing one is read by each client.
    expect(reads.length).toBeLessThanOrEqual(3 + CLIENTS);
  });

  it('lets the event loop turn between slices of the work of all clients together', async () => {
    const replica = await world.startHub({ fillRecords: 2, replaySliceMs: 0 });
    let rendered = 0;
    let mostInOneTurn = 0;
    const sinks = resume(replica, () => (rendered += 1));
    for (let before = 0; rendered < MISSED * CLIENTS; before = rendered) {
      await nextTurn();
      mostInOneTurn = Math.max(mostInOneTurn, rendered - before);
    }
    await until(() => sinks.every(({ received }) => received.length === MISSED), { what: 'everything' });
    for (const sink of sinks) expect(sink.versions()).toEqual(everything);
    expect(mostInOneTurn).toBeLessThanOrEqual(2);
  });

  it('lets the event loop turn between slices of a replay from memory', async () => {
    const replica = await world.startHub({ replaySliceMs: 0 });
    let rendered = 0;
    let mostInOneTurn = 0;
    resume(replica, () => (rendered += 1));
    for (let before = 0; rendered < MISSED * CLIENTS; before = rendered) {
      await nextTurn();
      mostInOneTurn = Math.max(mostInOneTurn, rendered - before);
    }
    expect(mostInOneTurn).toBeLessThanOrEqual(2);
  });
});

describe('the change reader', () => {
  const CHUNK = 200;

  function readerOf(options: { end: number; maxBytes?: number }): { reader: ChangeReader; reads: number[] } {
    const reads: number[] = [];
    const log = {
      read: async ({ fromOffset, toOffset }: ReadOptions) => {
        reads.push(fromOffset);
        return Array.from({ length: toOffset - fromOffset }, (_, index) => ({ offset: fromOffset + index }));
      },
    } as unknown as EventLog;
    const feed = {
      topic: sampleTopics.counterDocuments.name,
      positions: [options.end],
      parse: (record: unknown) => ({ ...(record as object), valueBytes: 100 }),
    } as unknown as ConstructorParameters<typeof ChangeReader>[0]['feed'];
    const { maxBytes } = options;
    const reader = new ChangeReader({ log, feed, turns: new WorkTurns(), ...(maxBytes && { maxBytes }) });
    return { reader, reads };
  }

  const offsets = async (reader: ChangeReader, from: number, to: number): Promise<number[]> =>
    (await reader.read(0, from, to)).map(({ offset }) => offset);

  it('returns exactly the requested range of a cached chunk', async () => {
    const { reader } = readerOf({ end: 1_000 });
    expect(await offsets(reader, 10, 13)).toEqual([10, 11, 12]);
    expect(await offsets(reader, 12, 15)).toEqual([12, 13, 14]);
    expect(await offsets(reader, 8, 11)).toEqual([8, 9, 10]);
  });

  it('does not cache a chunk that still grows', async () => {
    const { reader, reads } = readerOf({ end: CHUNK - 1 });
    await reader.read(0, 0, 50);
    await reader.read(0, 0, 50);
    expect(reads).toEqual([0, 0]);
  });

  it('evicts the least recently used chunk beyond its memory limit', async () => {
    const { reader, reads } = readerOf({ end: 10 * CHUNK, maxBytes: 2.5 * CHUNK * 1_300 });
    for (const chunk of [0, 1, 0, 2, 0, 1]) await reader.read(0, chunk * CHUNK, (chunk + 1) * CHUNK);
    expect(reads).toEqual([0, CHUNK, 2 * CHUNK, CHUNK]);
  });

  it('evicts a chunk that was not used for a while, and keeps one in use', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    try {
      const { reader, reads } = readerOf({ end: 10 * CHUNK });
      const readChunk = (chunk: number) => reader.read(0, chunk * CHUNK, (chunk + 1) * CHUNK);
      await readChunk(0);
      await readChunk(1);
      for (let seconds = 0; seconds < 100; seconds += 20) {
        vi.advanceTimersByTime(20_000);
        await readChunk(1);
      }
      expect(reads).toEqual([0, CHUNK]);
      await readChunk(0);
      expect(reads).toEqual([0, CHUNK, 0]);
      vi.advanceTimersByTime(60_000);
      expect(vi.getTimerCount()).toBe(0);
      await readChunk(1);
      expect(reads).toEqual([0, CHUNK, 0, CHUNK]);
    } finally {
      vi.useRealTimers();
    }
  });

  it('reads again after a failed read', async () => {
    const { reader, reads } = readerOf({ end: 1_000 });
    const failing = { read: async () => Promise.reject(new Error('away')) };
    const broken = new ChangeReader({
      log: failing as unknown as EventLog,
      feed: { topic: 't', epoch: '', positions: [1_000], parse: () => undefined },
      turns: new WorkTurns(),
    });
    await expect(broken.read(0, 0, 10)).rejects.toThrow('away');
    failing.read = async () => [] as never;
    expect(await broken.read(0, 0, 10)).toEqual([]);
    await reader.read(0, 0, 10);
    expect(reads).toEqual([0]);
  });
});
