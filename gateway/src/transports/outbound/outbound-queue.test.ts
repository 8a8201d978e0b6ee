import { createServer, connect, type Socket, type AddressInfo } from 'node:net';
import { until } from '@tidegate/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FrameBatch } from '../../live/group/frame-batch.ts';
import { WebSocketEncoder, type WebSocketSource } from '../websocket/encoding.ts';
import { FlushScheduler } from './flush-scheduler.ts';
import { OutboundQueue } from './outbound-queue.ts';

const source = (policy: WebSocketSource['policy'], id = 'a'): WebSocketSource => {
  const head = Buffer.from(`{"id":"${id}","type":"next","payload":`);
  return { id: JSON.stringify(id), head, policy, bytesPerFrame: head.length + 1 };
};

function frame(key: string, version: number, padding = 0): FrameBatch {
  const facts = { cursor: 'c', kind: 'change', key, version } as const;
  const json = Buffer.from(JSON.stringify({ data: 'x'.repeat(padding), extensions: facts }));
  return new FrameBatch([{ ...facts, seq: version, continuity: 'next', hidden: false, json }]);
}

/** Splits the bytes of a server into the texts of its unmasked frames. */
function textsOf(bytes: Buffer): string[] {
  const texts: string[] = [];
  for (let at = 0; at < bytes.length;) {
    expect(bytes[at]).toBe(0x81);
    let length = bytes[at + 1]!;
    at += 2;
    if (length === 126) {
      length = bytes.readUInt16BE(at);
      at += 2;
    } else if (length === 127) {
      length = Number(bytes.readBigUInt64BE(at));
      at += 8;
    }
    texts.push(bytes.subarray(at, at + length).toString());
    at += length;
  }
  return texts;
}

describe('the outbound queue of a connection', () => {
  let near: Socket;
  let far: Socket;
  let close: () => void;
  const received: Buffer[] = [];

  beforeEach(async () => {
    received.length = 0;
    const accepted = Promise.withResolvers<Socket>();
    const server = createServer((socket) => accepted.resolve(socket));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    far = connect((server.address() as AddressInfo).port, '127.0.0.1');
    far.on('data', (chunk: Buffer) => received.push(chunk));
    near = await accepted.promise;
    close = () => {
      far.destroy();
      near.destroy();
      server.close();
    };
  });

  afterEach(() => close());

  function createQueue(
    maxBytes: number,
    onOverflow = () => {},
    scheduler = new FlushScheduler(),
  ): OutboundQueue<WebSocketSource, Socket> {
    const queue = new OutboundQueue({ encoder: new WebSocketEncoder(), maxBytes, scheduler, onOverflow });
    queue.attach(near);
    return queue;
  }

  /** A process that is always loaded. */
  class Loaded extends FlushScheduler {
    override hasTime(): boolean {
      return false;
    }
  }

  const messages = () =>
    textsOf(Buffer.concat(received)).map((text) => JSON.parse(text) as Record<string, never>);

  it('writes all queued messages in order, as whole WebSocket frames of every size', async () => {
    const queue = createQueue(10_000_000, undefined, new Loaded());
    const only = source('close');
    for (const [version, padding] of [
      [1, 0],
      [2, 50],
      [3, 1_000],
      [4, 80_000],
    ] as const) {
      queue.deliver(only, frame('k', version, padding));
    }
    queue.send(Buffer.from('{"type":"complete","id":"a"}'));
    const complete = (): boolean => {
      const texts = Buffer.concat(received);
      return texts.length > 81_000 && messages().length === 5;
    };
    await until(complete, { what: 'five messages' });
    const sent = messages() as unknown as { type: string; payload?: { extensions: { version: number } } }[];
    expect(sent.map(({ type, payload }) => payload?.extensions.version ?? type)).toEqual([
      1,
      2,
      3,
      4,
      'complete',
    ]);
  });

  it('writes at once while the process has time and nothing waits', () => {
    const queue = createQueue(10_000);
    queue.deliver(source('close'), frame('a', 1));
    expect(queue.bytes).toBe(0);
    expect(near.bytesWritten).toBeGreaterThan(0);
  });

  it('joins the deliveries of one turn of the event loop after the first', async () => {
    const queue = createQueue(10_000_000);
    const writes = vi.spyOn(near, 'write');
    for (const version of [1, 2, 3, 4]) queue.deliver(source('close'), frame('k', version));
    await until(() => messages().length === 4, { what: 'four messages' });
    expect(writes).toHaveBeenCalledTimes(2);
    queue.deliver(source('close'), frame('k', 5));
    expect(writes).toHaveBeenCalledTimes(3);
  });

  it('sends each subscription’s messages with its own id, alone and among others', async () => {
    const loaded = createQueue(10_000_000, undefined, new Loaded());
    const [a, b] = [source('close', 'a'), source('close', 'b')];
    const shared = frame('k', 1);
    loaded.deliver(a, shared);
    loaded.deliver(b, shared);
    loaded.deliver(b, frame('k', 2));
    loaded.deliver(a, frame('k', 2));
    const ids = (): string[] => messages().map(({ id }) => id as unknown as string);
    await until(() => ids().length === 4, { what: 'four messages' });
    expect(ids()).toEqual(['a', 'b', 'b', 'a']);
  });

  it('keeps the newest waiting change of each key at the bound and reports the number of dropped ones', async () => {
    far.pause();
    const queue = createQueue(100_000, () => expect.fail('no overflow'));
    const latest = source('latest-per-key');
    // Fills the buffers of the socket and the kernel first, so that later messages wait in the queue.
    const fill = Buffer.alloc(8_000_000);
    near.write(fill);
    for (let version = 1; version <= 500; version++) {
      queue.deliver(latest, frame('a', version, 500));
      queue.deliver(latest, frame('b', version, 500));
    }
    expect(queue.bytes).toBeLessThanOrEqual(100_000);
    far.resume();
    const received8 = (): number => received.reduce((sum, { length }) => sum + length, 0);
    await until(() => received8() > fill.length && queue.bytes === 0, { what: 'the queue to be written' });
    await until(
      () => {
        const texts = textsOf(Buffer.concat(received).subarray(fill.length));
        return texts.some((text) => text.includes('"key":"b","version":500'));
      },
      { what: 'the newest' },
    );
    const sent = textsOf(Buffer.concat(received).subarray(fill.length)).map(
      (text) =>
        (JSON.parse(text) as { payload: { extensions: { key: string; version: number; dropped?: number } } })
          .payload.extensions,
    );
    const versions = (key: string) => sent.filter((each) => each.key === key).map(({ version }) => version);
    expect(versions('a').at(-1)).toBe(500);
    expect(versions('a')).toEqual(versions('a').toSorted((x, y) => x - y));
    const dropped = sent.reduce((sum, each) => sum + (each.dropped ?? 0), 0);
    expect(dropped + sent.length).toBe(1_000);
    expect(dropped).toBeGreaterThan(0);
  });

  it('drops waiting messages and cursors of a `snapshot` subscription and notifies it', async () => {
    far.pause();
    const queue = createQueue(100_000, () => expect.fail('no overflow'));
    const dropped: number[] = [];
    const fresh: WebSocketSource = { ...source('snapshot'), onDrop: (count) => void dropped.push(count) };
    near.write(Buffer.alloc(8_000_000));
    queue.send(Buffer.from('{"type":"pong"}'));
    for (let version = 1; dropped.length === 0; version++) {
      queue.deliver(fresh, frame('a', version, 5_000));
      // A subscription that waits for a snapshot delivers no cursors.
      if (dropped.length === 0) queue.deliverPosition(fresh, `cursor-${version}`);
    }
    expect(dropped[0]).toBeGreaterThan(10);
    expect(queue.bytes).toBeLessThan(100);
    const drained = queue.drained();
    expect(drained).toBeInstanceOf(Promise);
    far.resume();
    await drained;
    expect(queue.drained()).toBeUndefined();
    queue.deliver(fresh, frame('a', 1_000), dropped[0]);
    queue.deliver(fresh, frame('a', 1_001));
    const all = (): Buffer => Buffer.concat(received);
    await until(() => all().includes('"version":1001'), { what: 'the messages after it' });
    const sent = textsOf(all().subarray(8_000_000)).map(
      (text) => JSON.parse(text) as { type: string; payload?: { extensions: Record<string, unknown> } },
    );
    expect(
      sent.map(({ type, payload }) => [type, payload?.extensions['version'], payload?.extensions['dropped']]),
    ).toEqual([
      ['pong', undefined, undefined],
      ['next', 1_000, dropped[0]],
      ['next', 1_001, undefined],
    ]);
  });

  it('writes a fresh snapshot at once, even when it is larger than the bound', () => {
    const queue = createQueue(1_000, () => expect.fail('no overflow'), new Loaded());
    const onDrop = vi.fn<() => void>();
    const fresh: WebSocketSource = { ...source('snapshot'), onDrop };
    queue.deliver(fresh, frame('a', 7, 5_000), 3);
    expect(queue.bytes).toBe(0);
    queue.deliverPosition(fresh, 'cursor');
    queue.deliver(fresh, frame('a', 8));
    expect(onDrop).not.toHaveBeenCalled();
  });

  it('sends the cursors of many subscriptions in one ping, in order with their frames', async () => {
    const queue = createQueue(100_000, undefined, new Loaded());
    const [a, b] = [source('close', 'a'), source('close', 'b')];
    queue.deliverPosition(a, 'a1');
    queue.deliverPosition(b, 'b1');
    queue.deliver(b, frame('k', 2));
    queue.deliverPosition(b, 'b2');
    const ping = (cursors: Record<string, string>) => ({ type: 'ping', payload: { tidegate: { cursors } } });
    await until(() => messages().length === 3, { what: 'everything' });
    expect(messages()).toEqual([
      ping({ a: 'a1', b: 'b1' }),
      expect.objectContaining({ id: 'b', type: 'next' }),
      ping({ b: 'b2' }),
    ]);
  });

  it('does not overflow by a cursor behind one message larger than the bound', () => {
    const queue = createQueue(1_000, () => expect.fail('no overflow'), new Loaded());
    const strict = source('close');
    queue.deliver(strict, frame('a', 1, 5_000));
    queue.deliverPosition(strict, 'cursor');
    expect(queue.bytes).toBeGreaterThan(5_000);
  });

  it('drops nothing for a client that reads, however large the burst', async () => {
    const queue = createQueue(10_000, () => expect.fail('no overflow'), new Loaded());
    const onDrop = (): void => expect.fail('nothing is dropped');
    for (const only of [{ ...source('snapshot'), onDrop }, source('latest-per-key'), source('close')])
      for (let version = 1; version <= 6; version++) queue.deliver(only, frame('a', version, 6_000));
    await until(() => Buffer.concat(received).length > 18 * 6_000, { what: 'all' });
    expect(messages()).toHaveLength(18);
  });

  it('resolves `drained` when it is closed', async () => {
    far.pause();
    const queue = createQueue(100_000);
    near.write(Buffer.alloc(8_000_000));
    const drained = queue.drained();
    queue.close();
    await drained;
    expect(queue.drained()).toBeUndefined();
  });

  it('overflows once for a `close` subscription and takes no more messages', () => {
    far.pause();
    near.write(Buffer.alloc(8_000_000));
    let overflows = 0;
    const queue = createQueue(10_000, () => (overflows += 1));
    const strict = source('close');
    for (let version = 1; version <= 100; version++) queue.deliver(strict, frame('a', version, 500));
    expect(overflows).toBe(1);
    expect(queue.bytes).toBe(0);
  });

  it('resolves `ready` when there is room again', async () => {
    far.pause();
    near.write(Buffer.alloc(8_000_000));
    const queue = createQueue(100_000);
    expect(queue.ready()).toBeUndefined();
    for (let version = 1; version <= 100; version++) queue.deliver(source('close'), frame('a', version, 700));
    const room = queue.ready();
    expect(room).toBeInstanceOf(Promise);
    far.resume();
    await room;
    expect(queue.ready()).toBeUndefined();
  });
});
