import type { Logger } from '../telemetry/index.ts';

/** A part of a process that runs until it is stopped. */
export interface Component {
  readonly name: string;
  stop(): Promise<void>;
}

/** The components of a process, stopped in reverse: a later one may depend on an earlier one. */
export class Components {
  readonly #logger: Logger;
  readonly #running: Component[] = [];

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** A component added while the others are being stopped (by a start that was interrupted) is stopped too. */
  add(component: Component): void {
    this.#running.push(component);
  }

  /** Stops one after the other, the newest first. A failure is logged, and the rest still stop. */
  async stop(): Promise<void> {
    for (let next = this.#running.pop(); next; next = this.#running.pop()) {
      try {
        await next.stop();
        this.#logger.info({ component: next.name }, `stopped ${next.name}`);
      } catch (error) {
        this.#logger.error({ component: next.name, err: error }, `${next.name} did not stop cleanly`);
      }
    }
  }
}
