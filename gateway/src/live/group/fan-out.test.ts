import { beforeEach, describe, expect, it } from 'vitest';
import type { LiveRequest } from '../live-request.ts';
import type { Sink } from '../sink.ts';
import { GroupSubscription, type GroupSubscriber } from '../subscription/group-subscription.ts';
import { FanOut } from './fan-out.ts';
import { FrameBatch } from './frame-batch.ts';
import { encodeFrame } from './frame.ts';
import type { Group } from './group.ts';

/** A batch of one change with this sequence number. */
function batch(seq: number): FrameBatch {
  const facts = { cursor: 'c', kind: 'change', key: 'k', version: seq } as const;
  return new FrameBatch([encodeFrame({ data: {} }, facts, seq)]);
}

let fanOut: FanOut;
let deliveries: string[];

beforeEach(() => {
  fanOut = new FanOut();
  deliveries = [];
});

/** Adds a recipient that records its deliveries; `onDelivery` runs after each one. */
function join(
  name: string,
  { from = 0, isDirect = true, onDelivery = (): void => {} } = {},
): GroupSubscription {
  const record = (target: 'sink' | 'subscriber', { frames }: FrameBatch): void => {
    deliveries.push(`${name} ${target} ${frames.map(({ seq }) => seq).join()}`);
    onDelivery();
  };
  const group = { fanOut } as unknown as Group;
  const subscriber: GroupSubscriber = { deliver: (given) => record('subscriber', given), fail: () => {} };
  const place = new GroupSubscription({ group, request: {} as LiveRequest, subscriber, from });
  fanOut.add(place);
  const sink: Sink = { deliver: (given) => record('sink', given), complete: () => {}, fail: () => {} };
  if (isDirect) place.setDirect(sink);
  return place;
}

describe('the fan-out of a batch', () => {
  it('delivers directly to all sinks while every recipient has a direct sink', () => {
    join('a');
    join('b');
    fanOut.deliver(batch(1));
    expect(deliveries).toEqual(['a sink 1', 'b sink 1']);
  });

  it('delivers to each recipient individually while one of them has no direct sink', () => {
    join('a');
    const b = join('b', { isDirect: false });
    fanOut.deliver(batch(1));
    expect(deliveries).toEqual(['a sink 1', 'b subscriber 1']);
    fanOut.delete(b);
    fanOut.deliver(batch(2));
    expect(deliveries).toEqual(['a sink 1', 'b subscriber 1', 'a sink 2']);
  });

  it('skips recipients that joined after its changes', () => {
    join('a');
    join('b', { from: 1 });
    fanOut.deliver(batch(1));
    fanOut.deliver(batch(2));
    expect(deliveries).toEqual(['a sink 1', 'a sink 2', 'b sink 2']);
  });

  it('delivers once to every remaining recipient when a delivery makes another recipient leave', () => {
    join('a', { onDelivery: () => fanOut.delete(c) });
    join('b');
    const c = join('c');
    join('d');
    fanOut.deliver(batch(1));
    expect(deliveries).toEqual(['a sink 1', 'b sink 1', 'd sink 1']);
  });

  it('falls back to individual delivery when a direct sink is revoked during the fan-out', () => {
    join('a', { onDelivery: () => b.setDirect(undefined) });
    const b = join('b');
    join('c');
    fanOut.deliver(batch(1));
    expect(deliveries).toEqual(['a sink 1', 'b subscriber 1', 'c sink 1']);
  });

  it('skips a recipient that joins during the fan-out', () => {
    join('a', { onDelivery: () => join('late', { from: 1 }) });
    join('b');
    fanOut.deliver(batch(1));
    expect(deliveries).toEqual(['a sink 1', 'b sink 1']);
  });

  it('knows the newest change that each recipient received on its direct sink', () => {
    const a = join('a');
    expect(a.newestDirectSeq).toBe(0);
    fanOut.deliver(batch(1));
    const late = join('late', { from: 1 });
    const indirect = join('indirect', { isDirect: false });
    expect([a.newestDirectSeq, late.newestDirectSeq, indirect.newestDirectSeq]).toEqual([1, 0, 0]);
  });
});
