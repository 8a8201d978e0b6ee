import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { anonymous } from '@tidegate/bff';
import { createMetrics, type Metrics } from '@tidegate/runtime/telemetry';
import { until } from '@tidegate/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FrameBatch } from '../../live/group/frame-batch.ts';
import { createLiveMetrics } from '../../live/metrics.ts';
import { Heartbeats } from '../heartbeats.ts';
import { FlushScheduler } from '../outbound/flush-scheduler.ts';
import { DistinctEvents, eventStream } from '../sse/encoding.ts';
import { change, createGuards } from '../sse/endpoint.fixture.ts';
import { StreamConnection } from './connection.ts';
import type { StreamSource } from './encoding.ts';

const MAX_QUEUED_BYTES = 64 * 1024;

describe('an SSE connection', () => {
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

  function createConnection(): StreamConnection {
    const facts = { viewer: anonymous, traceparent: undefined, address: '192.0.2.1' };
    return new StreamConnection(
      facts,
      {
        guards: createGuards(metrics),
        metrics: createLiveMetrics(metrics),
        maxQueuedBytes: MAX_QUEUED_BYTES,
        heartbeats: new Heartbeats(60_000),
        scheduler: new FlushScheduler(),
        maxConnectionAgeMs: 0,
        format: eventStream,
      },
      onEnd,
    );
  }

  /** Resolves with all received text once it contains the marker. */
  async function received(marker: string): Promise<string> {
    let text = '';
    client.on('data', (chunk: Buffer) => (text += chunk.toString()));
    await until(() => text.includes(marker), { what: marker });
    return text;
  }

  /** Fills the socket without the queue, so that queued messages have to wait. */
  async function fill(): Promise<void> {
    client.pause();
    do {
      response.write(`: ${'x'.repeat(1_000_000)}\n`);
      await delay(5);
    } while (!response.writableNeedDrain);
  }

  it('sends the messages of one turn with one write', async () => {
    const connection = createConnection();
    connection.attach(response);
    const write = vi.spyOn(response, 'write');
    for (let count = 0; count < 100; count++) connection.queue.send(Buffer.from(`data: ${count}\n\n`));
    const text = await received('data: 99');
    expect(write).toHaveBeenCalledTimes(1);
    expect(text).toContain(Array.from({ length: 100 }, (_, count) => `data: ${count}\n\n`).join(''));
    connection.cut();
  });

  it('sends a single message without copying its bytes', async () => {
    const connection = createConnection();
    connection.attach(response);
    const write = vi.spyOn(response, 'write');
    const shared = Buffer.from('data: shared\n\n');
    connection.queue.send(shared);
    await received('data: shared');
    expect(write.mock.calls[0]![0]).toBe(shared);
    connection.cut();
  });

  it('cuts a client that does not read at the bound and counts it', async () => {
    const connection = createConnection();
    connection.attach(response);
    await fill();
    const before = response.writableLength;
    const message = Buffer.from(`data: ${'x'.repeat(1_000)}\n\n`);
    let taken = 0;
    for (; !response.destroyed; taken += message.length) {
      expect(response.writableLength).toBe(before);
      connection.queue.send(message);
    }
    expect(taken).toBeGreaterThan(MAX_QUEUED_BYTES);
    expect(taken).toBeLessThanOrEqual(MAX_QUEUED_BYTES + 2 * message.length);
    expect(onEnd).toHaveBeenCalledTimes(1);
    const { body } = await metrics.render();
    expect(body).toContain('tidegate_live_slow_consumers_total{transport="sse"} 1');
    expect(body).toContain('tidegate_live_connections{transport="sse"} 0');
  });

  it('sends the messages queued under backpressure after the drain, in order and with one write', async () => {
    const connection = createConnection();
    connection.attach(response);
    await fill();
    const write = vi.spyOn(response, 'write');
    for (let count = 0; count < 100; count++) connection.queue.send(Buffer.from(`data: ${count}\n\n`));
    expect(write).not.toHaveBeenCalled();
    client.resume();
    const text = await received('data: 99');
    expect(write).toHaveBeenCalledTimes(1);
    expect(text).toContain(Array.from({ length: 100 }, (_, count) => `data: ${count}\n\n`).join(''));
    connection.cut();
  });

  const source = (policy: StreamSource['policy']): StreamSource => ({
    policy,
    bytesPerFrame: 100,
    messages: new DistinctEvents(),
  });

  it('keeps the newest change of each key of a `latest-per-key` field and reports the number of dropped ones', async () => {
    const connection = createConnection();
    connection.attach(response);
    await fill();
    const latest = source('latest-per-key');
    for (let version = 1; version <= 100; version++)
      connection.queue.deliver(latest, new FrameBatch([change(version, 'x'.repeat(2_000))]));
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
    connection.cut();
  });

  it('drops the messages and cursors of a `snapshot` field, notifies it, and reports their number', async () => {
    const connection = createConnection();
    connection.attach(response);
    await fill();
    const dropped: number[] = [];
    const fresh: StreamSource = { ...source('snapshot'), onDrop: (count) => void dropped.push(count) };
    for (let version = 1; dropped.length === 0; version++) {
      connection.queue.deliver(fresh, new FrameBatch([change(version, 'x'.repeat(2_000))]));
      // A subscription that waits for a snapshot delivers no cursors.
      if (dropped.length === 0) connection.queue.deliverPosition(fresh, `cursor-${version}`);
    }
    expect(onEnd).not.toHaveBeenCalled();
    const drained = connection.queue.drained();
    expect(drained).toBeInstanceOf(Promise);
    client.resume();
    await drained;
    connection.queue.deliver(fresh, new FrameBatch([change(1_000)]), dropped[0]);
    connection.queue.deliver(fresh, new FrameBatch([change(1_001)]));
    const text = await received('cursor-1001\n');
    expect([...text.matchAll(/^id: (.*)$/gm)].map(([, id]) => id)).toEqual(['cursor-1000', 'cursor-1001']);
    expect(text).toContain(`"extensions":{"dropped":${dropped[0]},"cursor":"cursor-1000"`);
    // Larger than the bound; the next message must not drop it again.
    const asked = dropped.length;
    connection.queue.deliver(fresh, new FrameBatch([change(2_000, 'x'.repeat(2 * MAX_QUEUED_BYTES))]), 1);
    connection.queue.deliver(fresh, new FrameBatch([change(2_001)]));
    expect(dropped.length).toBe(asked);
    connection.cut();
    expect(connection.queue.drained()).toBeUndefined();
  });

  it('cuts the stream of a `close` field at the bound', async () => {
    const connection = createConnection();
    connection.attach(response);
    await fill();
    const closes = source('close');
    for (let version = 1; version <= 100; version++)
      connection.queue.deliver(closes, new FrameBatch([change(version, 'x'.repeat(2_000))]));
    expect(onEnd).toHaveBeenCalledTimes(1);
  });

  it('resolves `ready` when there is room, or when the stream has ended', async () => {
    const connection = createConnection();
    connection.attach(response);
    expect(connection.queue.ready()).toBeUndefined();
    await fill();
    connection.queue.send(Buffer.alloc(MAX_QUEUED_BYTES, 'x'));
    const room = connection.queue.ready();
    expect(room).toBeInstanceOf(Promise);
    client.resume();
    await room;
    await fill();
    connection.queue.send(Buffer.alloc(MAX_QUEUED_BYTES, 'x'));
    const over = connection.queue.ready();
    expect(over).toBeInstanceOf(Promise);
    connection.cut();
    await over;
  });

  it('bounds the queue of a reservation before its stream is open', () => {
    const connection = createConnection();
    const message = Buffer.alloc(10_000);
    for (let count = 0; count < 8; count++) connection.queue.send(message);
    expect(onEnd).toHaveBeenCalledTimes(1);
    connection.attach(response);
    expect(response.destroyed).toBe(true);
  });

  it('sends one message larger than the bound when nothing else waits', async () => {
    const connection = createConnection();
    connection.attach(response);
    await until(() => response.writableLength === 0, { what: 'the head to be out' });
    connection.queue.send(Buffer.from(`data: ${'x'.repeat(2 * MAX_QUEUED_BYTES)} end\n\n`));
    await received(' end');
    expect(onEnd).not.toHaveBeenCalled();
    connection.cut();
  });

  it('sends queued messages when it completes, then ends and takes no more', async () => {
    const connection = createConnection();
    connection.attach(response);
    connection.queue.send(Buffer.from('data: word\n\n'));
    connection.complete();
    connection.queue.send(Buffer.from('data: late\n\n'));
    const text = await received('\r\n0\r\n\r\n');
    expect(text).toContain('data: word');
    expect(text).not.toContain('late');
    await until(() => onEnd.mock.calls.length === 1, { what: 'the end' });
  });

  it('sends queued messages when it leaves, then cuts the stream and takes no more', async () => {
    const connection = createConnection();
    connection.attach(response);
    await fill();
    connection.queue.send(Buffer.from('data: the last word\n\n'));
    connection.leave();
    connection.queue.send(Buffer.from('data: too late\n\n'));
    expect(onEnd).not.toHaveBeenCalled();
    let ended = false;
    client.on('close', () => (ended = true));
    const text = received('the last word');
    client.resume();
    await until(() => ended, { what: 'the end' });
    expect(await text).toContain('data: the last word');
    expect(await text).not.toContain('too late');
    // Cut and not completed: the last chunk of the body is missing.
    expect(await text).not.toMatch(/\r\n0\r\n/);
    expect(onEnd).toHaveBeenCalledOnce();
  });

  it('cuts the stream some time after it leaves when the client reads nothing', () => {
    vi.useFakeTimers();
    const connection = createConnection();
    connection.attach(response);
    Object.defineProperty(response, 'writableNeedDrain', { value: true });
    connection.queue.send(Buffer.from('data: unread\n\n'));
    connection.leave();
    vi.advanceTimersByTime(10_000);
    vi.useRealTimers();
    expect(onEnd).toHaveBeenCalledOnce();
  });

  it('keeps an expiry that is further ahead than the longest Node timer', async () => {
    const connection = createConnection();
    connection.attach(response);
    connection.expireAt(Date.now() + 100 * 24 * 60 * 60 * 1000);
    connection.queue.send(Buffer.from('data: alive\n\n'));
    await received('data: alive');
    expect(onEnd).not.toHaveBeenCalled();
    connection.cut();
    expect(onEnd).toHaveBeenCalledTimes(1);
  });
});
