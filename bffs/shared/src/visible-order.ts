import type { OrderDocument } from '@order-platform/contracts';
import type { Context } from './context.ts';

/** Reads one order. Returns null when it does not exist or the viewer may not see it. */
export async function visibleOrder(
  context: Context,
  id: string,
  freshness: {
    /** Consistency token with the minimum version. */
    readonly token: string | null | undefined;
    /** Fails with STALE_READ instead of returning an older version. Default false. */
    readonly strict?: boolean;
  },
): Promise<OrderDocument | null> {
  context.consistency.require(freshness.token, freshness.strict);
  return context.loaders.orders.load(id);
}
