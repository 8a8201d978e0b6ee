import { startDueLoop, type DueLoop } from '@tidegate/runtime/resilience';
import type { Logger } from '@tidegate/runtime/telemetry';
import type { ShipmentStore } from './store.ts';

export interface ShipmentWorkerOptions {
  readonly store: ShipmentStore;
  readonly clock: () => number;
  readonly logger: Logger;
}

/** Shipments advanced in one transaction. */
const BATCH_SIZE = 100;

/** Advances shipments when they are due. Due times are rows, so they survive a restart. */
export class ShipmentWorker {
  readonly #options: ShipmentWorkerOptions;
  #loop: DueLoop | undefined;

  constructor(options: ShipmentWorkerOptions) {
    this.#options = options;
  }

  start(): this {
    const { clock, logger } = this.#options;
    this.#loop = startDueLoop({
      pass: () => this.#pass(),
      clock,
      onFailure: (err) => logger.warn({ err }, 'looking for due shipments failed; trying again'),
    });
    return this;
  }

  /** Looks for due shipments now. */
  wake(): void {
    this.#loop?.wake();
  }

  /** Waits for the transaction under way. */
  async stop(): Promise<void> {
    await this.#loop?.stop();
  }

  /** Returns the time of the next pass. A full batch means that more may be due now. */
  async #pass(): Promise<number | undefined> {
    const { store, clock } = this.#options;
    const due = await store.advanceDue(BATCH_SIZE);
    return due === BATCH_SIZE ? clock() : store.nextDue();
  }
}
