import { beforeEach, describe, expect, it } from 'vitest';
import { encodeFrame } from './frame.ts';
import { FrameBatch } from './frame-batch.ts';
import type { Group } from './group.ts';
import type { LiveRequest } from '../live-request.ts';
import type { Sink } from '../sink.ts';
import { Members } from './members.ts';
import { Membership } from '../subscription/membership.ts';

/** The change of this sequence number, as a batch of its own. */
function batch(seq: number): FrameBatch {
  const facts = { cursor: 'c', kind: 'change', key: 'k', version: seq } as const;
  return new FrameBatch([encodeFrame({ data: {} }, facts, seq)]);
}

let members: Members;
let told: string[];

beforeEach(() => {
  members = new Members();
  told = [];
});

/** A membership that notes what it is told; `meanwhile` happens each time. */
function join(name: string, { from = 0, isDirect = true, meanwhile = (): void => {} } = {}): Membership {
  const note = (way: string, { frames }: FrameBatch): void => {
    told.push(`${name} ${way} ${frames.map(({ seq }) => seq).join()}`);
    meanwhile();
  };
  const group = { members } as Group;
  const member = { take: (_: Membership, given: FrameBatch) => note('asked', given), fail: () => {} };
  const membership = new Membership({ group, request: {} as LiveRequest, member, from });
  members.add(membership);
  const sink: Sink = { deliver: (given) => note('sent', given), complete: () => {}, fail: () => {} };
  if (isDirect) membership.direct = sink;
  return membership;
}

describe('a batch for a group', () => {
  it('goes straight to the sinks of all while all take every batch as it comes', () => {
    join('a');
    join('b');
    members.deliver(batch(1));
    expect(told).toEqual(['a sent 1', 'b sent 1']);
  });

  it('is offered to each one by itself while one of them has to be asked', () => {
    join('a');
    const b = join('b', { isDirect: false });
    members.deliver(batch(1));
    expect(told).toEqual(['a sent 1', 'b asked 1']);
    members.delete(b);
    members.deliver(batch(2));
    expect(told).toEqual(['a sent 1', 'b asked 1', 'a sent 2']);
  });

  it('reaches only those who were there before its changes', () => {
    join('a');
    join('b', { from: 1 });
    members.deliver(batch(1));
    members.deliver(batch(2));
    expect(told).toEqual(['a sent 1', 'a sent 2', 'b sent 2']);
  });

  it('reaches everybody once who is still there, when telling one of them ends another', () => {
    join('a', { meanwhile: () => members.delete(c) });
    join('b');
    const c = join('c');
    join('d');
    members.deliver(batch(1));
    expect(told).toEqual(['a sent 1', 'b sent 1', 'd sent 1']);
  });

  it('reaches by asking whom telling another has made to be asked', () => {
    join('a', { meanwhile: () => (b.direct = undefined) });
    const b = join('b');
    join('c');
    members.deliver(batch(1));
    expect(told).toEqual(['a sent 1', 'b asked 1', 'c sent 1']);
  });

  it('does not reach who joins meanwhile', () => {
    join('a', { meanwhile: () => join('late', { from: 1 }) });
    join('b');
    members.deliver(batch(1));
    expect(told).toEqual(['a sent 1', 'b sent 1']);
  });

  it('counts as said to each that it was sent to', () => {
    const a = join('a');
    expect(a.takeSpoken()).toBe(false);
    members.deliver(batch(1));
    const late = join('late', { from: 1 });
    expect([a.takeSpoken(), a.takeSpoken(), late.takeSpoken()]).toEqual([true, false, false]);
  });
});
