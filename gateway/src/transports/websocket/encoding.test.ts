import type { Socket } from 'node:net';
import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { FrameBatch } from '../../live/group/frame-batch.ts';
import type { Waiting } from '../outbound/waiting-messages.ts';
import { WebSocketEncoder, type WebSocketSource } from './encoding.ts';

const facts = { cursor: 'c', kind: 'change', key: 'k' } as const;
const batch = new FrameBatch([
  { ...facts, version: 1, seq: 1, continuity: 'next', hidden: false, json: Buffer.from('{"n":1}') },
  {
    ...facts,
    version: 2,
    seq: 2,
    continuity: 'next',
    hidden: false,
    json: Buffer.from(`{"n":"${'x'.repeat(200)}"}`),
  },
]);
const encoder = new WebSocketEncoder();
const head = (id: string): Buffer => Buffer.from(`{"id":"${id}","payload":`);

describe('a block of WebSocket frames', () => {
  it('contains every message in a whole frame with the head of the subscription', () => {
    const bytes = encoder.blockOf(batch, head('a').length).withHead(head('a'));
    const first = '{"id":"a","payload":{"n":1}}';
    expect(bytes[0]).toBe(0x81);
    expect(bytes[1]).toBe(first.length);
    expect(bytes.subarray(2, 2 + first.length).toString()).toBe(first);
    const second = bytes.subarray(2 + first.length);
    expect([second[0], second[1]]).toEqual([0x81, 126]);
    expect(second.readUInt16BE(2)).toBe(second.length - 4);
    expect(JSON.parse(second.subarray(4).toString())).toEqual({ id: 'a', payload: { n: 'x'.repeat(200) } });
  });

  it('is encoded once per length of the heads', () => {
    expect(encoder.blockOf(batch, 20)).toBe(encoder.blockOf(batch, 20));
    expect(encoder.blockOf(batch, 21)).not.toBe(encoder.blockOf(batch, 20));
  });

  it('does not overwrite bytes that a socket still reads', () => {
    const block = encoder.blockOf(batch, head('a').length);
    const retained = block.withHead(head('a'));
    block.retain();
    const other = block.withHead(head('b'));
    expect(retained.toString()).toContain('"id":"a"');
    expect(retained.toString()).not.toContain('"id":"b"');
    expect(other.toString()).toContain('"id":"b"');
  });
});

describe('messages that waited together', () => {
  const source: WebSocketSource = { id: '"a"', head: head('a'), policy: 'close', bytesPerFrame: 30 };
  const pong: Waiting<WebSocketSource> = { payload: Buffer.from('{"type":"pong"}') };
  const change = (padding: number): FrameBatch =>
    new FrameBatch([
      {
        ...facts,
        version: 1,
        seq: 1,
        continuity: 'next',
        hidden: false,
        json: Buffer.from(`{"n":"${'x'.repeat(padding)}"}`),
      },
    ]);

  /** Returns the buffers of all writes. */
  function writesOf(messages: readonly Waiting<WebSocketSource>[]): Buffer[] {
    const writes: Buffer[] = [];
    const target = new Writable({
      write(bytes: Buffer, _encoding, done) {
        writes.push(bytes);
        done();
      },
    });
    encoder.writeAll(target as Socket, messages);
    return writes;
  }

  it('leave with one write while they are small', () => {
    const small = { source, batch: change(10), gap: undefined };
    expect(writesOf([pong, small, pong]).map(({ length }) => length)).toEqual([
      2 * (2 + 15) + encoder.blockOf(small.batch, source.head.length).byteLength,
    ]);
  });

  it('leave in their order, a large one by the bytes that all connections share', () => {
    const large = { source, batch: change(20_000), gap: undefined };
    const shared = encoder.blockOf(large.batch, source.head.length).withHead(source.head);
    const writes = writesOf([pong, large, pong]);
    expect(writes.map((bytes) => bytes === shared)).toEqual([false, true, false]);
    expect(writes.map(({ length }) => length)).toEqual([17, shared.length, 17]);
  });
});
