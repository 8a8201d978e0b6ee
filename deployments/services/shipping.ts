import { integer } from '@tidegate/runtime/config';
import { runService } from '@tidegate/service/run-service';
import { createShippingService } from '@order-platform/service-shipping';

const DAY_MS = 24 * 60 * 60 * 1000;

runService({
  name: 'shipping',
  config: {
    SHIPPING_DISPATCH_MS: integer(0, DAY_MS, 'milliseconds from confirmed to dispatched').default(800),
    SHIPPING_DELIVERY_MS: integer(0, DAY_MS, 'milliseconds from dispatched to delivered').default(2_000),
  },
  create: (dependencies, { SHIPPING_DISPATCH_MS, SHIPPING_DELIVERY_MS }) =>
    createShippingService({
      ...dependencies,
      prepareMs: SHIPPING_DISPATCH_MS,
      deliverMs: SHIPPING_DELIVERY_MS,
    }),
});
