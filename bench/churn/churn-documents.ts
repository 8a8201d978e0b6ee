import { TICK_OF_KEY, TICKS } from '../servers/workload.ts';

/** Subscriptions of the clients of a churn, on one BFF. */
export interface ChurnWorkload {
  readonly path: string;
  /** Subscription of every connection; resumed by its cursor. */
  readonly query: string;
  /** Second subscription of a WebSocket: to one key, which differs between connections. */
  readonly keyed: { readonly query: string; readonly variable: string; readonly values: readonly string[] };
}

const KEYS = 100_000;

/** Ticks of the bench BFF. So many keys that nearly every subscription creates a group and an index term of its own. */
export const ticks: ChurnWorkload = {
  path: '/graphql/bench',
  query: TICKS,
  keyed: {
    query: TICK_OF_KEY,
    variable: 'key',
    values: Array.from({ length: KEYS }, (_, key) => `k${key}`),
  },
};

/** Orders and stock of the order platform. */
export function orders(productIds: readonly string[]): ChurnWorkload {
  return {
    path: '/graphql/web',
    query: 'subscription { orders { id version status lines { quantity } } }',
    keyed: {
      query: 'subscription ($id: ID!) { stock(productId: $id) { productId version available } }',
      variable: 'id',
      values: productIds,
    },
  };
}
