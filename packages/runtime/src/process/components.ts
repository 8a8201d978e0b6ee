import type { Logger } from '../telemetry/index.ts';

/** Something that runs, for as long as the process does. */
export interface Component {
  readonly name: string;
  stop(): Promise<void>;
}

export interface Components {
  /** One that comes while all are being stopped (a start that was interrupted) is stopped too. */
  add(component: Component): void;
  /** Stops all, the youngest first, one after the other; one that fails is logged and the rest still stop. */
  stop(): Promise<void>;
}

/** A process's lifecycle is one list: what came later may rest on what came before, so it goes first. */
export function createComponents(logger: Logger): Components {
  const list: Component[] = [];
  return {
    add: (component) => void list.push(component),
    async stop() {
      for (let next = list.pop(); next; next = list.pop()) {
        try {
          await next.stop();
          logger.info({ component: next.name }, `stopped ${next.name}`);
        } catch (error) {
          logger.error({ component: next.name, err: error }, `${next.name} did not stop cleanly`);
        }
      }
    },
  };
}
