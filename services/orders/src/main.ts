import { runService } from '@tidegate/service/run-service';
import { createOrdersService } from './orders-service.ts';

runService({ name: 'orders', create: createOrdersService });
