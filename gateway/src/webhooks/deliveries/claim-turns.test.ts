import { describe, expect, it } from 'vitest';
import { takeInTurns, type DueDelivery, type Room } from './claim-turns.ts';

/** Deliveries of an endpoint; its partner is the first letter of its name. */
function dueOf(endpointId: string, ...seqs: number[]): DueDelivery[] {
  return seqs.map((seq) => ({ seq, endpointId }));
}

const roomy: Room = { partnerOf: (id) => id[0]!, ofEndpoint: () => 100, ofPartner: () => 100 };

describe('the turns of a claim', () => {
  it('give each partner one delivery after the other, however many another one has', () => {
    const due = [...dueOf('a1', 1, 2, 3, 4, 5, 6, 7, 8), ...dueOf('b1', 11), ...dueOf('c1', 21, 22)];
    expect(takeInTurns(due, { limit: 6, room: roomy, turn: 0 })).toEqual([1, 11, 21, 2, 22, 3]);
  });

  it('give the endpoints of a partner turns as well', () => {
    const due = [...dueOf('a1', 1, 2, 3), ...dueOf('a2', 11, 12), ...dueOf('b1', 21, 22)];
    expect(takeInTurns(due, { limit: 6, room: roomy, turn: 0 })).toEqual([1, 21, 11, 22, 2, 12]);
  });

  it('begin with another partner each time, so that a single free slot goes round', () => {
    const due = [...dueOf('a1', 1), ...dueOf('b1', 11), ...dueOf('c1', 21)];
    const first = (turn: number): number[] => takeInTurns(due, { limit: 1, room: roomy, turn });
    expect([first(1), first(2), first(3)]).toEqual([[11], [21], [1]]);
  });

  it('stop at the room of a partner and of an endpoint', () => {
    const room: Room = {
      ...roomy,
      ofPartner: (partner) => (partner === 'a' ? 3 : 100),
      ofEndpoint: (id) => (id === 'a1' || id === 'b1' ? 1 : 100),
    };
    const due = [...dueOf('a1', 1, 2, 3), ...dueOf('a2', 11, 12, 13), ...dueOf('b1', 21, 22)];
    expect(takeInTurns(due, { limit: 100, room, turn: 0 })).toEqual([1, 21, 11, 12]);
  });

  it('take nothing of a partner without room', () => {
    const room: Room = { ...roomy, ofPartner: (partner) => (partner === 'a' ? 0 : 1) };
    const due = [...dueOf('a1', 1), ...dueOf('b1', 2)];
    expect(takeInTurns(due, { limit: 100, room, turn: 0 })).toEqual([2]);
    expect(takeInTurns([], { limit: 100, room, turn: 5 })).toEqual([]);
  });
});
