/**
 * Fair shares.
 *
 * - Partners take turns, and so do the endpoints of a partner. A partner with ten thousand due deliveries delays another
 *   one's by one turn.
 * - Attempts in flight are bounded for each partner and each endpoint: receivers that hang hold their own slots only.
 */

/** A delivery that may be claimed. */
export interface DueDelivery {
  readonly seq: number;
  readonly endpointId: string;
}

/** How many more attempts may begin. */
export interface Room {
  /** Partner that the endpoint belongs to. */
  partnerOf(endpointId: string): string;
  ofEndpoint(endpointId: string): number;
  ofPartner(partner: string): number;
}

interface Partner {
  readonly name: string;
  room: number;
  readonly endpoints: { readonly due: number[]; room: number }[];
}

/**
 * Chooses up to `limit` deliveries, one of each partner in turn.
 *
 * @param due of each endpoint in the order in which it wants them.
 * @param turn number of the claim: the partner that begins is another one each time.
 * @returns their `seq`s.
 */
export function takeInTurns(
  due: readonly DueDelivery[],
  { limit, room, turn }: { readonly limit: number; readonly room: Room; readonly turn: number },
): number[] {
  const waiting = rotated(partnersOf(due, room, turn), turn);
  const chosen: number[] = [];
  while (waiting.length > 0 && chosen.length < limit) {
    const partner = waiting.shift()!;
    const seq = takeOne(partner);
    if (seq === undefined) continue;
    chosen.push(seq);
    waiting.push(partner);
  }
  return chosen;
}

function partnersOf(due: readonly DueDelivery[], room: Room, turn: number): Partner[] {
  const byEndpoint = Map.groupBy(due, ({ endpointId }) => endpointId);
  const byPartner = Map.groupBy(byEndpoint.keys(), (endpointId) => room.partnerOf(endpointId));
  return [...byPartner].map(([name, endpointIds]) => ({
    name,
    room: room.ofPartner(name),
    endpoints: rotated(endpointIds, turn).map((id) => ({
      due: byEndpoint.get(id)!.map(({ seq }) => seq),
      room: room.ofEndpoint(id),
    })),
  }));
}

/** Takes the next delivery of a partner's next endpoint. Undefined when it has none, or no room. */
function takeOne(partner: Partner): number | undefined {
  if (partner.room <= 0) return undefined;
  const { endpoints } = partner;
  for (let tried = 0; tried < endpoints.length; tried++) {
    const endpoint = endpoints.shift()!;
    endpoints.push(endpoint);
    if (endpoint.room <= 0 || endpoint.due.length === 0) continue;
    endpoint.room -= 1;
    partner.room -= 1;
    return endpoint.due.shift();
  }
  return undefined;
}

function rotated<T>(items: readonly T[], by: number): T[] {
  const start = items.length === 0 ? 0 : by % items.length;
  return [...items.slice(start), ...items.slice(0, start)];
}
