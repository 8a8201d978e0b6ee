import type { Logger } from '../telemetry/index.ts';

/**
 * Runs `stop` on SIGTERM and SIGINT and exits with 0. A second signal, a `stop` that rejects or one that takes longer
 * than `limitMs` exits with 1 at once.
 */
export function stopOnSignals(logger: Logger, limitMs: number, stop: () => Promise<void>): void {
  let stopping = false;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (stopping) {
      logger.warn({ signal }, `${signal} again: exiting without waiting`);
      process.exit(1);
    }
    stopping = true;
    logger.info({ signal }, `${signal}: stopping`);
    setTimeout(() => {
      logger.error({ limitMs }, `stopping took longer than ${limitMs} ms: exiting without waiting`);
      process.exit(1);
    }, limitMs);
    stop().then(
      () => process.exit(0),
      (error: unknown) => {
        logger.error({ err: error }, 'stopping failed');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
}

/** Exits with 1 on an uncaught error: the process is in an unknown state, and all data is durable. */
export function exitOnUncaught(logger: Logger): void {
  process.on('uncaughtException', (error, origin) => {
    logger.error({ err: error, origin }, 'an error was caught by nobody: exiting');
    process.exit(1);
  });
}
