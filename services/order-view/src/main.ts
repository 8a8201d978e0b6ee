import { runService } from '@tidegate/service/run-service';
import { createOrderViewService } from './order-view-service.ts';

runService({ name: 'order-view', create: createOrderViewService });
