import { runService } from '@tidegate/service/run-service';
import { createCatalogViewService } from '@order-platform/service-catalog-view';

runService({ name: 'catalog-view', create: createCatalogViewService });
