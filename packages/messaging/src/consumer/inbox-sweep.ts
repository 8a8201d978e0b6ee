import type { Database, Tables } from '@tidegate/database';
import type { Logger } from '@tidegate/runtime/telemetry';
import { sweepInbox } from '../inbox.ts';

const SWEEP_INTERVAL_MS = 60 * 60 * 1000;

/** Forgets old ids now and then every hour. Returns what stops it and waits for a sweep that is running. */
export function startInboxSweep(options: {
  database: Database<Tables>;
  logger: Logger;
  group: string;
  retentionMs: number;
}): () => Promise<void> {
  const { database, logger, group, retentionMs } = options;
  let sweeping: Promise<void> = sweep();

  async function sweep(): Promise<void> {
    try {
      await sweepInbox(database, group, Date.now() - retentionMs);
    } catch (error) {
      logger.warn({ err: error, group }, 'the inbox could not be swept; trying again in an hour');
    }
  }

  const timer = setInterval(() => {
    sweeping = sweeping.then(sweep);
  }, SWEEP_INTERVAL_MS);
  timer.unref();
  return () => {
    clearInterval(timer);
    return sweeping;
  };
}
