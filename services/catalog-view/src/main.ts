import { runService } from '@tidegate/service/run-service';
import { createCatalogViewService } from './catalog-view-service.ts';

runService({ name: 'catalog-view', create: createCatalogViewService });
