import { flag } from '@tidegate/runtime/config';
import { runService } from '@tidegate/service/run-service';
import { createInventoryService } from '@order-platform/service-inventory';

runService({
  name: 'inventory',
  config: { DEMO: flag('whether stock is filled up when it runs low').default(false) },
  create: (dependencies, { DEMO }) =>
    createInventoryService({
      ...dependencies,
      restock: DEMO ? { belowQuantity: 20, toQuantity: 200 } : undefined,
    }),
});
