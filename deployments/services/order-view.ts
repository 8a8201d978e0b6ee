import { runService } from '@tidegate/service/run-service';
import { createOrderViewService } from '@order-platform/service-order-view';

runService({ name: 'order-view', create: createOrderViewService });
