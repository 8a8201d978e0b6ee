import type { Logger } from '../telemetry/index.ts';

/**
 * SIGTERM and SIGINT run `stop` and exit with 0. A second signal, a stop that fails or one that takes longer than
 * `limitMs` exits with 1 at once: whoever asks twice does not want to wait.
 */
export function stopOnSignals(logger: Logger, limitMs: number, stop: () => Promise<void>): void {
  let asked = false;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (asked) {
      logger.warn({ signal }, `${signal} again: exiting without waiting`);
      process.exit(1);
    }
    asked = true;
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

/** An error that nobody caught leaves the process in a state nobody knows: all is durable, so it ends and starts anew. */
export function exitOnUncaught(logger: Logger): void {
  process.on('uncaughtException', (error, origin) => {
    logger.error({ err: error, origin }, 'an error was caught by nobody: exiting');
    process.exit(1);
  });
}
