import { runProcess } from '@tidegate/runtime/process';
import { createPaymentProvider } from '@order-platform/service-payments/provider';

/** The simulated provider as a process of its own; it keeps nothing: after a restart it has forgotten every charge. */
runProcess({
  name: 'payment-provider',
  config: {},
  async start() {
    return { handle: createPaymentProvider().handle };
  },
});
