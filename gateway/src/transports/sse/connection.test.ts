import { Heartbeats } from '../heartbeats.ts';
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { createMetrics, type Metrics } from '@tidegate/runtime/telemetry';
import { until } from '@tidegate/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FrameBatch } from '../../live/group/frame-batch.ts';
import { createLiveMetrics } from '../../live/metrics.ts';
import { FlushScheduler } from '../outbound/flush-scheduler.ts';
import { encodeFrameEvents, encodePosition } from './encoding.ts';
import { change } from './endpoint.fixture.ts';
import { SseStream, type StreamEntrance } from './connection.ts';

const MAX_QUEUED_BYTES = 64 * 1024;

describe('the outbound queue of an event stream', () => {
  let server: Server;
  let client: Socket;
  let response: ServerResponse;
  let metrics: Metrics;
  const onEnd = vi.fn<() => void>();

  beforeEach(async () => {
    onEnd.mockClear();
    metrics = createMetrics({ nodeMetrics: false });
    server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    client = connect((server.address() as AddressInfo).port, '127.0.0.1');
    client.on('error', () => undefined);
    client.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
    [, response] = (await once(server, 'request')) as [unknown, ServerResponse];
  });

  afterEach(async () => {
    client.destroy();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  function createStream(): SseStream {
    return new SseStream({
      metrics: createLiveMetrics(metrics),
      maxQueuedBytes: MAX_QUEUED_BYTES,
      heartbeats: new Heartbeats(60_000),
      scheduler: new FlushScheduler(),
      onEnd,
    });
  }

  /** All the client received, once it holds this text. */
  async function received(marker: string): Promise<string> {
    let text = '';
    client.on('data', (chunk: Buffer) => (text += chunk.toString()));
    await until(() => text.includes(marker), { what: marker });
    return text;
  }

  /** Fills the socket behind the stream's back, so that whatever the stream is given has to wait. */
  async function fill(): Promise<void> {
    client.pause();
    do {
      response.write(`: ${'x'.repeat(1_000_000)}\n`);
      await delay(5);
    } while (!response.writableNeedDrain);
  }

  it('what is queued in one turn goes out in one write', async () => {
    const stream = createStream();
    stream.attach(response);
    const write = vi.spyOn(response, 'write');
    for (let count = 0; count < 100; count++)
      stream.write(Buffer.from(`data: ${count}\n`), Buffer.from('\n'));
    const text = await received('data: 99');
    expect(write).toHaveBeenCalledTimes(1);
    expect(text).toContain(Array.from({ length: 100 }, (_, count) => `data: ${count}\n\n`).join(''));
    stream.cut();
  });

  it('a message alone goes out as the bytes that others share', async () => {
    const stream = createStream();
    stream.attach(response);
    const write = vi.spyOn(response, 'write');
    const shared = Buffer.from('data: shared\n\n');
    stream.write(shared);
    await received('data: shared');
    expect(write.mock.calls[0]![0]).toBe(shared);
    stream.cut();
  });

  it('a client that does not read is cut off at the bound, and counted', async () => {
    const stream = createStream();
    stream.attach(response);
    await fill();
    const before = response.writableLength;
    const message = Buffer.from(`data: ${'x'.repeat(1_000)}\n\n`);
    let taken = 0;
    for (; !response.destroyed; taken += message.length) {
      expect(response.writableLength).toBe(before);
      stream.write(message);
    }
    expect(taken).toBeGreaterThan(MAX_QUEUED_BYTES);
    expect(taken).toBeLessThanOrEqual(MAX_QUEUED_BYTES + 2 * message.length);
    expect(onEnd).toHaveBeenCalledTimes(1);
    const { body } = await metrics.render();
    expect(body).toContain('tidegate_live_slow_consumers_total{transport="sse"} 1');
    expect(body).toContain('tidegate_live_connections{transport="sse"} 0');
  });

  it('what waits behind a full socket goes out when it has drained, in order and in one write', async () => {
    const stream = createStream();
    stream.attach(response);
    await fill();
    const write = vi.spyOn(response, 'write');
    for (let count = 0; count < 100; count++) stream.write(Buffer.from(`data: ${count}\n\n`));
    expect(write).not.toHaveBeenCalled();
    client.resume();
    const text = await received('data: 99');
    expect(write).toHaveBeenCalledTimes(1);
    expect(text).toContain(Array.from({ length: 100 }, (_, count) => `data: ${count}\n\n`).join(''));
    stream.cut();
  });

  const entrance = (policy: StreamEntrance['policy']): StreamEntrance => ({
    policy,
    bytesPerFrame: 100,
    encode: encodeFrameEvents,
  });

  it('of each key of a latest-per-key field the newest stays, and says how many were left out', async () => {
    const stream = createStream();
    stream.attach(response);
    await fill();
    const latest = entrance('latest-per-key');
    for (let version = 1; version <= 100; version++)
      stream.deliver(latest, new FrameBatch([change(version, 'x'.repeat(2_000))]));
    expect(onEnd).not.toHaveBeenCalled();
    client.resume();
    const text = await received('cursor-100\n');
    const events = [...text.matchAll(/^data: (\{.*\})\r?$/gm)].map(
      ([, json]) => JSON.parse(json!) as { extensions: { version: number; dropped?: number } },
    );
    const told = events.reduce((sum, { extensions }) => sum + (extensions.dropped ?? 0), 0);
    expect(events.at(-1)!.extensions.version).toBe(100);
    expect(told).toBeGreaterThan(0);
    expect(told + events.length).toBe(100);
    stream.cut();
  });

  it('of a snapshot field nothing stays, its positions neither; it is told, and says how many were left out', async () => {
    const stream = createStream();
    stream.attach(response);
    await fill();
    const dropped: number[] = [];
    const fresh: StreamEntrance = { ...entrance('snapshot'), onDrop: (count) => void dropped.push(count) };
    for (let version = 1; dropped.length === 0; version++) {
      stream.deliver(fresh, new FrameBatch([change(version, 'x'.repeat(2_000))]));
      // From then on its subscription says no positions.
      if (dropped.length === 0) stream.position(fresh, encodePosition(`cursor-${version}`));
    }
    expect(onEnd).not.toHaveBeenCalled();
    const drained = stream.drained();
    expect(drained).toBeInstanceOf(Promise);
    client.resume();
    await drained;
    stream.deliver(fresh, new FrameBatch([change(1_000)]), dropped[0]);
    stream.deliver(fresh, new FrameBatch([change(1_001)]));
    const text = await received('cursor-1001\n');
    expect([...text.matchAll(/^id: (.*)$/gm)].map(([, id]) => id)).toEqual(['cursor-1000', 'cursor-1001']);
    expect(text).toContain(`"extensions":{"dropped":${dropped[0]},"cursor":"cursor-1000"`);
    // Larger than the bound, and yet nothing that comes next may have it dropped again.
    const asked = dropped.length;
    stream.deliver(fresh, new FrameBatch([change(2_000, 'x'.repeat(2 * MAX_QUEUED_BYTES))]), 1);
    stream.deliver(fresh, new FrameBatch([change(2_001)]));
    expect(dropped.length).toBe(asked);
    stream.cut();
    expect(stream.drained()).toBeUndefined();
  });

  it('a field that says close is cut off at the bound', async () => {
    const stream = createStream();
    stream.attach(response);
    await fill();
    const closes = entrance('close');
    for (let version = 1; version <= 100; version++)
      stream.deliver(closes, new FrameBatch([change(version, 'x'.repeat(2_000))]));
    expect(onEnd).toHaveBeenCalledTimes(1);
  });

  it('a replay waits for room, and no longer when the stream has ended', async () => {
    const stream = createStream();
    stream.attach(response);
    expect(stream.ready()).toBeUndefined();
    await fill();
    stream.write(Buffer.alloc(MAX_QUEUED_BYTES, 'x'));
    const room = stream.ready();
    expect(room).toBeInstanceOf(Promise);
    client.resume();
    await room;
    await fill();
    stream.write(Buffer.alloc(MAX_QUEUED_BYTES, 'x'));
    const over = stream.ready();
    expect(over).toBeInstanceOf(Promise);
    stream.cut();
    await over;
  });

  it('a reservation’s queue is bounded before there is a stream', () => {
    const stream = createStream();
    const message = Buffer.alloc(10_000);
    for (let count = 0; count < 8; count++) stream.write(message);
    expect(onEnd).toHaveBeenCalledTimes(1);
    stream.attach(response);
    expect(response.destroyed).toBe(true);
  });

  it('one message larger than the bound is sent when nothing else waits', async () => {
    const stream = createStream();
    stream.attach(response);
    await until(() => response.writableLength === 0, { what: 'the head to be out' });
    stream.write(Buffer.from(`data: ${'x'.repeat(2 * MAX_QUEUED_BYTES)} end\n\n`));
    await received(' end');
    expect(onEnd).not.toHaveBeenCalled();
    stream.cut();
  });

  it('a completed stream sends what is queued, then ends; nothing follows', async () => {
    const stream = createStream();
    stream.attach(response);
    stream.write(Buffer.from('data: word\n\n'));
    stream.complete();
    stream.write(Buffer.from('data: late\n\n'));
    const text = await received('\r\n0\r\n\r\n');
    expect(text).toContain('data: word');
    expect(text).not.toContain('late');
    await until(() => onEnd.mock.calls.length === 1, { what: 'the end' });
  });

  it('a stream that leaves is cut after what is queued has been written, and takes nothing more', async () => {
    const stream = createStream();
    stream.attach(response);
    await fill();
    stream.write(Buffer.from('data: the last word\n\n'));
    stream.leave();
    stream.write(Buffer.from('data: too late\n\n'));
    expect(onEnd).not.toHaveBeenCalled();
    let ended = false;
    client.on('close', () => (ended = true));
    const text = received('the last word');
    client.resume();
    await until(() => ended, { what: 'the end' });
    expect(await text).toContain('data: the last word');
    expect(await text).not.toContain('too late');
    // Cut and not completed: the last chunk of the body never came.
    expect(await text).not.toMatch(/\r\n0\r\n/);
    expect(onEnd).toHaveBeenCalledOnce();
  });

  it('a stream that leaves does not wait for ever for a client that reads nothing', () => {
    vi.useFakeTimers();
    const stream = createStream();
    stream.attach(response);
    Object.defineProperty(response, 'writableNeedDrain', { value: true });
    stream.write(Buffer.from('data: unread\n\n'));
    stream.leave();
    vi.advanceTimersByTime(10_000);
    vi.useRealTimers();
    expect(onEnd).toHaveBeenCalledOnce();
  });

  it('a life of months is no timer that fires at once', async () => {
    const stream = createStream();
    stream.attach(response);
    stream.expireAt(Date.now() + 100 * 24 * 60 * 60 * 1000);
    stream.write(Buffer.from('data: alive\n\n'));
    await received('data: alive');
    expect(onEnd).not.toHaveBeenCalled();
    stream.cut();
    expect(onEnd).toHaveBeenCalledTimes(1);
  });
});
