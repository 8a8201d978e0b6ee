import type { ReadonlySignal } from '@preact/signals';
import type { MountContext } from '@tidegate/live-client/micro-frontend';
import type { Catalogue } from './catalogue.ts';
import type { OrderStore } from './order-store.ts';

/** What every part of this micro-frontend gets. */
export interface OrdersContext extends Pick<MountContext, 'client' | 'viewer' | 'navigate'> {
  readonly store: OrderStore;
  readonly catalogue: Catalogue;
  /** Ticks once a second, for ages. */
  readonly nowMs: ReadonlySignal<number>;
  /** Says something to the person, aloud for those who do not see it. */
  readonly announce: (text: string) => void;
}
