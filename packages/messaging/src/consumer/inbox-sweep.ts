import type { Database, Tables } from '@tidegate/database';
import type { Logger } from '@tidegate/runtime/telemetry';
import { sweepInbox } from './inbox.ts';

export interface InboxSweepOptions {
  readonly database: Database<Tables>;
  readonly logger: Logger;
  readonly group: string;
  /** Age in milliseconds from which an id is deleted. */
  readonly retentionMs: number;
}

const SWEEP_INTERVAL_MS = 60 * 60 * 1000;

/**
 * Deletes expired ids from the inbox, now and then every hour. Returns a function that stops the timer and resolves
 * when a running sweep has ended.
 */
export function startInboxSweep(options: InboxSweepOptions): () => Promise<void> {
  let sweeping = sweep(options);
  const timer = setInterval(() => {
    sweeping = sweeping.then(() => sweep(options));
  }, SWEEP_INTERVAL_MS);
  timer.unref();
  return () => {
    clearInterval(timer);
    return sweeping;
  };
}

async function sweep({ database, logger, group, retentionMs }: InboxSweepOptions): Promise<void> {
  try {
    await sweepInbox(database, group, Date.now() - retentionMs);
  } catch (error) {
    logger.warn({ err: error, group }, 'the inbox could not be swept; trying again in an hour');
  }
}
