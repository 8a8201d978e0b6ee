import { runProcess } from '@tidegate/runtime/process';
import { createPaymentProvider } from '@order-platform/service-payments/provider';

/** The simulated provider as a process of its own. Its charges are in memory: a restart loses them. */
runProcess({
  name: 'payment-provider',
  config: {},
  async start() {
    return { handle: createPaymentProvider().handle };
  },
});
