import { describe, expect, it } from 'vitest';
import { FrameBatch } from '../../live/group/frame-batch.ts';
import { blockOf } from './frame-block.ts';

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
const head = (id: string): Buffer => Buffer.from(`{"id":"${id}","payload":`);

describe('a block of frames', () => {
  it('is every message whole, behind the subscription’s head', () => {
    const bytes = blockOf(batch, head('a').length).behind(head('a'));
    const first = '{"id":"a","payload":{"n":1}}';
    expect(bytes[0]).toBe(0x81);
    expect(bytes[1]).toBe(first.length);
    expect(bytes.subarray(2, 2 + first.length).toString()).toBe(first);
    const second = bytes.subarray(2 + first.length);
    expect([second[0], second[1]]).toEqual([0x81, 126]);
    expect(second.readUInt16BE(2)).toBe(second.length - 4);
    expect(JSON.parse(second.subarray(4).toString())).toEqual({ id: 'a', payload: { n: 'x'.repeat(200) } });
  });

  it('is made once for heads of one length and apart for those of another', () => {
    expect(blockOf(batch, 20)).toBe(blockOf(batch, 20));
    expect(blockOf(batch, 21)).not.toBe(blockOf(batch, 20));
  });

  it('leaves alone the bytes that a socket still reads', () => {
    const block = blockOf(batch, head('a').length);
    const lent = block.behind(head('a'));
    block.lend();
    const other = block.behind(head('b'));
    expect(lent.toString()).toContain('"id":"a"');
    expect(lent.toString()).not.toContain('"id":"b"');
    expect(other.toString()).toContain('"id":"b"');
  });
});
