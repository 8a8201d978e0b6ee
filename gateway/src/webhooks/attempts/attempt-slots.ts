import type { Room } from '../deliveries/claim-turns.ts';
import type { EndpointIndex } from '../endpoints/endpoint-cache.ts';

export interface AttemptSlotsOptions {
  /** Maximum attempts in flight. */
  readonly maxConcurrent: number;
  /** Maximum attempts in flight to one endpoint; 1 while its last attempt has failed. */
  readonly maxConcurrentPerEndpoint: number;
  /** Maximum attempts in flight to the endpoints of one partner. */
  readonly maxConcurrentPerPartner: number;
}

/** The attempts in flight, and the room for more: in all, for each partner, for each endpoint. */
export class AttemptSlots implements Room {
  readonly #options: AttemptSlotsOptions;
  readonly #ofEndpoint = new Map<string, number>();
  readonly #ofPartner = new Map<string, number>();
  /** Endpoints whose last attempt failed. */
  readonly #failing = new Set<string>();
  #used = 0;
  #index: EndpointIndex | undefined;

  constructor(options: AttemptSlotsOptions) {
    this.#options = options;
  }

  get used(): number {
    return this.#used;
  }

  get free(): number {
    return this.#options.maxConcurrent - this.#used;
  }

  /** Sets the present endpoints. Forgets the failures of removed endpoints. */
  use(index: EndpointIndex): void {
    if (index === this.#index) return;
    this.#index = index;
    for (const id of this.#failing) if (!index.byId.has(id)) this.#failing.delete(id);
  }

  /** An endpoint that is not prepared is a partner of its own: its attempts end at once. */
  partnerOf(endpointId: string): string {
    return this.#index?.byId.get(endpointId)?.partner ?? `endpoint ${endpointId}`;
  }

  ofEndpoint(endpointId: string): number {
    const max = this.#failing.has(endpointId) ? 1 : this.#options.maxConcurrentPerEndpoint;
    return max - (this.#ofEndpoint.get(endpointId) ?? 0);
  }

  ofPartner(partner: string): number {
    return this.#options.maxConcurrentPerPartner - (this.#ofPartner.get(partner) ?? 0);
  }

  /** Takes a slot. Returns the function that gives it back. */
  take(endpointId: string): () => void {
    const partner = this.partnerOf(endpointId);
    this.#used += 1;
    add(this.#ofEndpoint, endpointId, 1);
    add(this.#ofPartner, partner, 1);
    return () => {
      this.#used -= 1;
      add(this.#ofEndpoint, endpointId, -1);
      add(this.#ofPartner, partner, -1);
    };
  }

  /** Notes how the last attempt to an endpoint ended. */
  attempted(endpointId: string, isFailed: boolean): void {
    if (isFailed) this.#failing.add(endpointId);
    else this.#failing.delete(endpointId);
  }
}

/** A count of 0 is not kept. */
function add(counts: Map<string, number>, name: string, difference: 1 | -1): void {
  const count = (counts.get(name) ?? 0) + difference;
  if (count === 0) counts.delete(name);
  else counts.set(name, count);
}
