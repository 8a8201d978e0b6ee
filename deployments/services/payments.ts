import { url } from '@tidegate/runtime/config';
import { runService } from '@tidegate/service/run-service';
import { createPaymentsService } from '@order-platform/service-payments';

runService({
  name: 'payments',
  config: { PAYMENT_PROVIDER_URL: url(['http', 'https'], 'where the payment provider is served') },
  create: (dependencies, { PAYMENT_PROVIDER_URL }) =>
    createPaymentsService({ ...dependencies, provider: PAYMENT_PROVIDER_URL }),
});
