import { nowUs } from '../processes/clock.ts';

/** Payload of every server: the same fields in the same order, so that results are equal to the byte. */
export interface Tick {
  readonly key: string;
  /** Counts from 1 for each key. */
  readonly version: number;
  /** Time of the append, from `nowUs()`. */
  readonly at: number;
  /** Time at which the measurement requested the tick, from `nowUs()`: before any queue of the server. */
  readonly asked: number;
  readonly status: string;
  readonly customer: string;
  readonly amount: number;
  readonly note: string;
}

export const typeDefs = `
type Query { ready: Boolean! }
type Subscription {
  "Every tick."
  ticks: Tick!
  "Ticks of one key."
  tick(key: ID!): Tick!
}
"A small object that changes often."
type Tick {
  key: ID!
  version: Int!
  at: Float!
  asked: Float!
  status: String!
  customer: String!
  amount: Float!
  note: String!
}`;

const FIELDS = 'key version at asked status customer amount note';
export const TICKS = `subscription { ticks { ${FIELDS} } }`;
export const TICK_OF_KEY = `subscription ($key: ID!) { tick(key: $key) { ${FIELDS} } }`;

/** Number of keys that ticks rotate through by default. */
export const KEYS = 64;
/** Key that the subscription to all ticks does not receive: its ticks fill queues. */
export const BULK_KEY = 'bulk';
const RESULT_BYTES = 300;

/** Encodes the GraphQL result of a tick. */
export function resultJson(tick: Tick): string {
  return JSON.stringify({ data: { ticks: tick } });
}

export interface TickRequest {
  readonly count: number;
  /** Time of the request, from `nowUs()`. Default: the current time. */
  readonly asked?: number;
  /** Key of all ticks. Default: all keys in turn. */
  readonly key?: string;
  /** Size of the GraphQL result in bytes. Default 300. */
  readonly resultBytes?: number;
}

/** Creates ticks with consecutive versions per key and results of a given size. */
export class TickSource {
  readonly #prefix: string;
  readonly #versions = new Map<string, number>();
  #made = 0;

  /** @param prefix prepended to each key, for a log that may hold the ticks of an earlier source. */
  constructor(prefix = '') {
    this.#prefix = prefix;
  }

  make({ count, asked, key, resultBytes }: TickRequest): Tick[] {
    return Array.from({ length: count }, () =>
      this.#next(
        key ?? `${this.#prefix}k${this.#made++ % KEYS}`,
        asked ?? nowUs(),
        resultBytes ?? RESULT_BYTES,
      ),
    );
  }

  #next(key: string, asked: number, resultBytes: number): Tick {
    const version = (this.#versions.get(key) ?? 0) + 1;
    this.#versions.set(key, version);
    const tick = {
      key,
      version,
      at: nowUs(),
      asked,
      status: 'SHIPPED',
      customer: 'customer-17',
      amount: 129.95,
    };
    const padding = Math.max(0, resultBytes - resultJson({ ...tick, note: '' }).length);
    return { ...tick, note: 'n'.repeat(padding) };
  }
}
