import type { ReadonlySignal } from '@preact/signals';
import type { MountContext } from '@tidegate/live-client/micro-frontend';
import type { BasketStore } from './basket-store.ts';
import type { Catalogue } from './catalogue.ts';
import type { OrderStore } from './order-store.ts';

/** Passed to every component of this micro-frontend. */
export interface OrdersContext extends Pick<MountContext, 'client' | 'viewer' | 'navigate'> {
  readonly store: OrderStore;
  readonly catalogue: Catalogue;
  readonly basket: BasketStore;
  /** Current time, updated once a second, for relative times. */
  readonly nowMs: ReadonlySignal<number>;
  /** Shows a short message; screen readers announce it. */
  readonly announce: (text: string) => void;
}
