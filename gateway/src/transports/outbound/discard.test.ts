import { Writable } from 'node:stream';
import { describe, expect, it, vi } from 'vitest';
import { FrameBatch } from '../../live/group/frame-batch.ts';
import { StreamEncoder, type StreamSource } from '../response-stream/encoding.ts';
import { TaggedEvents } from '../sse/encoding.ts';
import { FlushScheduler } from './flush-scheduler.ts';
import { OutboundQueue } from './outbound-queue.ts';

const source = (id: string): StreamSource => {
  const messages = new TaggedEvents(id);
  return { messages, policy: 'close', bytesPerFrame: messages.bytesPerFrame };
};

function frame(version: number): FrameBatch {
  const facts = { cursor: 'c', kind: 'change', key: 'k', version } as const;
  const json = Buffer.from('{}');
  return new FrameBatch([{ ...facts, seq: version, continuity: 'next', hidden: false, json }]);
}

describe('the queued messages of an operation that has ended', () => {
  const create = () =>
    new OutboundQueue<StreamSource, never>({
      encoder: new StreamEncoder(),
      scheduler: new FlushScheduler(),
      maxBytes: 1_000,
      onOverflow: () => undefined,
    });

  it('are discarded, and only these', () => {
    const queue = create();
    const [ended, other, owner] = [source('ended'), source('other'), {}];
    queue.deliver(ended, frame(1));
    queue.deliver(other, frame(1));
    queue.deliver(ended, frame(2));
    queue.deliverPosition(ended, 'position');
    queue.send(Buffer.from('result of a query\n'), owner);
    queue.send(Buffer.from('pong\n'));
    queue.discard(ended);
    queue.discard(owner);
    let text = '';
    const target = new Writable({
      write: (chunk, _encoding, done) => {
        text += String(chunk);
        done();
      },
    });
    const { bytes } = queue;
    queue.attach(target as never);
    queue.flush();
    expect(text).toBe('event: next\ndata: {"id":"other","payload":{}}\n\npong\n');
    expect(bytes).toBe(text.length);
  });

  it('count as flushed, and make room, when nothing else waits', async () => {
    const queue = create();
    const owner = {};
    const flushed = vi.fn<() => void>();
    queue.send(Buffer.alloc(900), owner);
    const room = queue.ready();
    queue.onceFlushed(flushed);
    queue.discard(owner);
    await room;
    expect([flushed.mock.calls.length, queue.bytes]).toEqual([1, 0]);
  });
});
