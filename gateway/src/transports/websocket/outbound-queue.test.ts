import { createServer, connect, type Socket, type AddressInfo } from 'node:net';
import { until } from '@tidegate/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FrameBatch } from '../../live/group/frame-batch.ts';
import { FlushScheduler } from '../outbound/flush-scheduler.ts';
import { OutboundQueue, type QueueEntrance } from './outbound-queue.ts';

const entrance = (policy: QueueEntrance['policy'], id = 'a'): QueueEntrance => {
  const head = Buffer.from(`{"id":"${id}","type":"next","payload":`);
  return { id: JSON.stringify(id), head, policy, bytesPerFrame: head.length + 1 };
};

function frame(key: string, version: number, padding = 0): FrameBatch {
  const facts = { cursor: 'c', kind: 'change', key, version } as const;
  const json = Buffer.from(JSON.stringify({ data: 'x'.repeat(padding), extensions: facts }));
  return new FrameBatch([{ ...facts, seq: version, continuity: 'next', hidden: false, json }]);
}

/** Splits what a server sent into the texts of its unmasked frames. */
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

describe('a connection’s outbound queue', () => {
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

  function queueOf(maxBytes: number, onOverflow = () => {}, scheduler = new FlushScheduler()): OutboundQueue {
    return new OutboundQueue({ socket: near, maxBytes, scheduler, onOverflow });
  }

  /** A process that is always behind. */
  class Loaded extends FlushScheduler {
    override hasTime(): boolean {
      return false;
    }
  }

  const messages = () =>
    textsOf(Buffer.concat(received)).map((text) => JSON.parse(text) as Record<string, never>);

  it('writes everything queued with one write, in order, as whole WebSocket frames of every size', async () => {
    const queue = queueOf(10_000_000, undefined, new Loaded());
    let writes = 0;
    const write = near.write.bind(near);
    near.write = ((...args: Parameters<typeof write>) => {
      writes += 1;
      return write(...args);
    }) as typeof near.write;
    const only = entrance('close');
    for (const [version, padding] of [
      [1, 0],
      [2, 50],
      [3, 1_000],
      [4, 80_000],
    ] as const) {
      queue.deliver(only, frame('k', version, padding));
    }
    queue.message('{"type":"complete","id":"a"}');
    const complete = (): boolean => {
      const texts = Buffer.concat(received);
      return texts.length > 81_000 && messages().length === 5;
    };
    await until(complete, { what: 'five messages' });
    expect(writes).toBe(1);
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
    const queue = queueOf(10_000);
    queue.deliver(entrance('close'), frame('a', 1));
    expect(queue.bytes).toBe(0);
    expect(near.bytesWritten).toBeGreaterThan(0);
  });

  it('sends each subscription’s messages with its own id, alone and among others', async () => {
    const loaded = queueOf(10_000_000, undefined, new Loaded());
    const [a, b] = [entrance('close', 'a'), entrance('close', 'b')];
    const shared = frame('k', 1);
    loaded.deliver(a, shared);
    loaded.deliver(b, shared);
    loaded.deliver(b, frame('k', 2));
    loaded.deliver(a, frame('k', 2));
    const ids = (): string[] => messages().map(({ id }) => id as unknown as string);
    await until(() => ids().length === 4, { what: 'four messages' });
    expect(ids()).toEqual(['a', 'b', 'b', 'a']);
  });

  it('keeps of each key the newest that waits when the bound is reached, and says how many it left out', async () => {
    far.pause();
    const queue = queueOf(100_000, () => expect.fail('no overflow'));
    const latest = entrance('latest-per-key');
    // Fill the socket and the kernel's buffers first: from then on what is queued waits here.
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

  it('drops what waits of a subscription that goes on from a snapshot, its positions too, and tells it', async () => {
    far.pause();
    const queue = queueOf(100_000, () => expect.fail('no overflow'));
    const dropped: number[] = [];
    const fresh: QueueEntrance = { ...entrance('snapshot'), onDrop: (count) => void dropped.push(count) };
    near.write(Buffer.alloc(8_000_000));
    queue.message('{"type":"pong"}');
    for (let version = 1; dropped.length === 0; version++) {
      queue.deliver(fresh, frame('a', version, 5_000));
      // From then on its subscription says no positions.
      if (dropped.length === 0) queue.position(fresh, `cursor-${version}`);
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
    await until(() => all().includes('"version":1001'), { what: 'what comes after it' });
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

  it('writes a fresh snapshot at once, though it is larger than the bound', () => {
    const queue = queueOf(1_000, () => expect.fail('no overflow'), new Loaded());
    const onDrop = vi.fn<() => void>();
    const fresh: QueueEntrance = { ...entrance('snapshot'), onDrop };
    queue.deliver(fresh, frame('a', 7, 5_000), 3);
    expect(queue.bytes).toBe(0);
    queue.position(fresh, 'cursor');
    queue.deliver(fresh, frame('a', 8));
    expect(onDrop).not.toHaveBeenCalled();
  });

  it('says the positions of many subscriptions with one ping, in order with their frames', async () => {
    const queue = queueOf(100_000, undefined, new Loaded());
    const [a, b] = [entrance('close', 'a'), entrance('close', 'b')];
    queue.position(a, 'a1');
    queue.position(b, 'b1');
    queue.deliver(b, frame('k', 2));
    queue.position(b, 'b2');
    const ping = (cursors: Record<string, string>) => ({ type: 'ping', payload: { tidegate: { cursors } } });
    await until(() => messages().length === 3, { what: 'everything' });
    expect(messages()).toEqual([
      ping({ a: 'a1', b: 'b1' }),
      expect.objectContaining({ id: 'b', type: 'next' }),
      ping({ b: 'b2' }),
    ]);
  });

  it('a position is no reason to give a connection up behind one message larger than the bound', () => {
    const queue = queueOf(1_000, () => expect.fail('no overflow'), new Loaded());
    const strict = entrance('close');
    queue.deliver(strict, frame('a', 1, 5_000));
    queue.position(strict, 'cursor');
    expect(queue.bytes).toBeGreaterThan(5_000);
  });

  it('leaves out nothing for a client that reads, however much comes at once', async () => {
    const queue = queueOf(10_000, () => expect.fail('no overflow'), new Loaded());
    const onDrop = (): void => expect.fail('nothing is dropped');
    for (const only of [{ ...entrance('snapshot'), onDrop }, entrance('latest-per-key'), entrance('close')])
      for (let version = 1; version <= 6; version++) queue.deliver(only, frame('a', version, 6_000));
    await until(() => Buffer.concat(received).length > 18 * 6_000, { what: 'all' });
    expect(messages()).toHaveLength(18);
  });

  it('nobody waits for a socket that is closed to drain', async () => {
    far.pause();
    const queue = queueOf(100_000);
    near.write(Buffer.alloc(8_000_000));
    const drained = queue.drained();
    queue.close();
    await drained;
    expect(queue.drained()).toBeUndefined();
  });

  it('gives up a connection whose subscription must not lose anything, once, and takes nothing more', () => {
    far.pause();
    near.write(Buffer.alloc(8_000_000));
    let overflows = 0;
    const queue = queueOf(10_000, () => (overflows += 1));
    const strict = entrance('close');
    for (let version = 1; version <= 100; version++) queue.deliver(strict, frame('a', version, 500));
    expect(overflows).toBe(1);
    expect(queue.bytes).toBe(0);
  });

  it('tells a long replay when there is room again', async () => {
    far.pause();
    near.write(Buffer.alloc(8_000_000));
    const queue = queueOf(100_000);
    expect(queue.ready()).toBeUndefined();
    for (let version = 1; version <= 100; version++)
      queue.deliver(entrance('close'), frame('a', version, 700));
    const room = queue.ready();
    expect(room).toBeInstanceOf(Promise);
    far.resume();
    await room;
    expect(queue.ready()).toBeUndefined();
  });
});
