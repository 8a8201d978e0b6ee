import { runProcess } from '@tidegate/process';
import { createPaymentProvider } from './payment-provider.ts';

/** The simulated provider as a process of its own; it keeps nothing: after a restart it has forgotten every charge. */
runProcess({
  name: 'payment-provider',
  config: {},
  async start() {
    return { handle: createPaymentProvider().handle };
  },
});
