import { describe, expect, it } from 'vitest';
import { encodeFrame } from '../../live/group/frame.ts';
import { thinOut, type Source, type WaitingMessage } from './thin-out.ts';

const latest = { policy: 'latest-per-key' } as const;

/** `a1` is version 1 of key a; `S` in front makes it a snapshot; `@` is a cursor of the subscription. */
function waiting(text: string, source: WaitingMessage['source'] = latest): WaitingMessage[] {
  return text.split(' ').map((each) => {
    if (each === '@') return { source, frame: undefined, dropped: 0 };
    const kind = each.startsWith('S') ? 'snapshot' : 'change';
    const [key = '', version = ''] = each.replace('S', '');
    const facts = { cursor: each, kind, key, version: Number(version) } as const;
    return { source, frame: encodeFrame({ data: {} }, facts, 1), dropped: 0 };
  });
}

function words(messages: readonly WaitingMessage[]): string {
  return messages
    .map(({ frame, dropped }) => `${frame?.cursor ?? '@'}${dropped > 0 ? `(${dropped})` : ''}`)
    .join(' ');
}

describe('thinning out a `latest-per-key` subscription', () => {
  it.each([
    ['keeps only the newest waiting change of a key', 'a1 a2 a3', 'a3(2)'],
    ['reports a gap with the next message after it', 'a1 b1 c1 b2 c2', 'a1 b2(2) c2'],
    ['keeps a snapshot, which is no change, in its place', 'Sa5 a6 a7', 'Sa5 a7(1)'],
    [
      'drops a cursor within a gap, which would skip messages that were not reported',
      'a1 @ a2 b1',
      'a2(1) b1',
    ],
    ['keeps a cursor before which nothing was dropped', 'a1 @ b1 b2', 'a1 @ b2(1)'],
  ])('%s', (_why, before, after) => {
    expect(words(thinOut(waiting(before)).kept)).toBe(after);
  });

  it('adds earlier drops to the reported number', () => {
    const first = thinOut(waiting('a1 b1 a2 b2')).kept;
    expect(words(first)).toBe('a2(2) b2');
    expect(words(thinOut([...first, ...waiting('b3 a3')]).kept)).toBe('b3(4) a3');
  });
});

describe('thinning out a `snapshot` subscription', () => {
  const fresh: Source = { policy: 'snapshot', onDrop: () => {} };

  it.each([
    ['drops waiting changes and the cursors after them', 'a1 a2 @', '', 2],
    ['keeps a snapshot, so that a slow client makes progress', 'Sa1 @ a2 @ a3', 'Sa1 @', 2],
    ['reports with a snapshot the number of messages dropped before it', 'a1 @ a2 Sa4 a5', 'Sa4(2)', 1],
    ['keeps the newer of two snapshots', 'Sa1 a2 Sa4 @', 'Sa4(2) @', 0],
    ['requires no fresh snapshot when nothing was dropped', 'Sa1 @', 'Sa1 @', 0],
  ])('%s', (_why, before, after, missing) => {
    const thinned = thinOut(waiting(before, fresh));
    expect(words(thinned.kept)).toBe(after);
    expect(thinned.missing.get(fresh) ?? 0).toBe(missing);
  });
});

describe('thinning out other messages', () => {
  it('drops none', () => {
    const strict = waiting('a1 a2 @', { policy: 'close' });
    const protocol = waiting('@', undefined);
    expect(thinOut([...strict, ...protocol])).toEqual({ kept: [...strict, ...protocol], missing: new Map() });
  });
});
