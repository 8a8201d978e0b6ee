import { describe, expect, it } from 'vitest';
import { encodeFrame } from '../../live/group/frame.ts';
import { thinOut, type Droppable, type WaitingMessage } from './thin-out.ts';

const latest = { policy: 'latest-per-key' } as const;

/** `a1` is version 1 of key a; `S` in front makes it a snapshot; `@` is a position of the subscription. */
function waiting(text: string, entrance: WaitingMessage['entrance'] = latest): WaitingMessage[] {
  return text.split(' ').map((each) => {
    if (each === '@') return { entrance, frame: undefined, dropped: 0 };
    const kind = each.startsWith('S') ? 'snapshot' : 'change';
    const [key = '', version = ''] = each.replace('S', '');
    const facts = { cursor: each, kind, key, version: Number(version) } as const;
    return { entrance, frame: encodeFrame({ data: {} }, facts, 1), dropped: 0 };
  });
}

function words(messages: readonly WaitingMessage[]): string {
  return messages
    .map(({ frame, dropped }) => `${frame?.cursor ?? '@'}${dropped > 0 ? `(${dropped})` : ''}`)
    .join(' ');
}

describe('of each key of a `latest-per-key` subscription', () => {
  it.each([
    ['only the newest change that still waits is kept', 'a1 a2 a3', 'a3(2)'],
    ['the next message after a gap says how many are missing there', 'a1 b1 c1 b2 c2', 'a1 b2(2) c2'],
    ['a snapshot is no change: it stays, and comes first', 'Sa5 a6 a7', 'Sa5 a7(1)'],
    [
      'a position within a gap is left out: its cursor would skip what nobody was told',
      'a1 @ a2 b1',
      'a2(1) b1',
    ],
    ['a position that nothing is missing before stays', 'a1 @ b1 b2', 'a1 @ b2(1)'],
  ])('%s', (_why, before, after) => {
    expect(words(thinOut(waiting(before)).kept)).toBe(after);
  });

  it('what was left out before is counted with what is left out now', () => {
    const first = thinOut(waiting('a1 b1 a2 b2')).kept;
    expect(words(first)).toBe('a2(2) b2');
    expect(words(thinOut([...first, ...waiting('b3 a3')]).kept)).toBe('b3(4) a3');
  });
});

describe('of a `snapshot` subscription', () => {
  const fresh: Droppable = { policy: 'snapshot', onDrop: () => {} };

  it.each([
    ['what waits is dropped, with the positions after it', 'a1 a2 @', '', 2],
    ['a snapshot stays, so that a client that reads slowly gets on', 'Sa1 @ a2 @ a3', 'Sa1 @', 2],
    ['a snapshot says what was dropped before it', 'a1 @ a2 Sa4 a5', 'Sa4(2)', 1],
    ['of two snapshots the newer is enough', 'Sa1 a2 Sa4 @', 'Sa4(2) @', 0],
    ['nothing is owed when nothing was dropped', 'Sa1 @', 'Sa1 @', 0],
  ])('%s', (_why, before, after, owed) => {
    const thinned = thinOut(waiting(before, fresh));
    expect(words(thinned.kept)).toBe(after);
    expect(thinned.owed.get(fresh) ?? 0).toBe(owed);
  });
});

describe('of other messages', () => {
  it('none is left out', () => {
    const strict = waiting('a1 a2 @', { policy: 'close' });
    const protocol = waiting('@', undefined);
    expect(thinOut([...strict, ...protocol])).toEqual({ kept: [...strict, ...protocol], owed: new Map() });
  });
});
