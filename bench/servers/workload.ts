import { nowUs } from '../processes/clock.ts';

/** What all servers send: the same fields in the same order, so that results are equal to the byte. */
export interface Tick {
  readonly key: string;
  /** Dense per key. */
  readonly version: number;
  /** When it was appended, `nowUs()`. */
  readonly at: number;
  /** When the measurement asked for it, `nowUs()`: before the server's own queue. */
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
  "Those of one key."
  tick(key: ID!): Tick!
}
"Something small that changes often."
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

/** Keys that ticks go round when none is named. */
export const KEYS = 64;
/** Ticks of this key reach those who subscribed to it and no others: for filling queues. */
export const BULK_KEY = 'bulk';
const RESULT_BYTES = 300;

/** The GraphQL result of a tick as a payload. */
export function resultJson(tick: Tick): string {
  return JSON.stringify({ data: { ticks: tick } });
}

export interface TicksWanted {
  readonly count: number;
  readonly asked?: number;
  /** One key instead of all in turn. */
  readonly key?: string;
  /** Bytes of the GraphQL result. Default 300. */
  readonly resultBytes?: number;
}

/** Makes ticks: versions dense per key, results of a given size. */
export class TickSource {
  readonly #prefix: string;
  readonly #versions = new Map<string, number>();
  #made = 0;

  /** @param prefix of every key: for a log that may hold the ticks of an earlier source. */
  constructor(prefix = '') {
    this.#prefix = prefix;
  }

  make({ count, asked, key, resultBytes }: TicksWanted): Tick[] {
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
