import { runService } from '@tidegate/service/run-service';
import { createOrdersService } from '@order-platform/service-orders';

runService({ name: 'orders', create: createOrdersService });
