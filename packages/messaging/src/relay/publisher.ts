import { TidegateError } from '@tidegate/core';
import type { Database, Tables } from '@tidegate/database';
import type { EventLog, OutgoingRecord } from '@tidegate/event-log';
import { backoffMs, delay } from '@tidegate/runtime/resilience';
import type { Logger } from '@tidegate/runtime/telemetry';
import type { Kysely } from 'kysely';
import { appendDeadLetter } from '../dead-letters/dead-letter.ts';
import type { RelayMetrics } from '../metrics.ts';
import type { OutboxTables } from '../tables.ts';
import { findPublished } from './find-published.ts';
import type { PendingRow } from './pending-rows.ts';
import { retryBackoff } from './retry-backoff.ts';

export interface PublisherOptions {
  readonly database: Database<Tables>;
  readonly log: EventLog;
  readonly logger: Logger;
  /** Name of the relay in log lines and dead letters, for example the service's name. */
  readonly name: string;
}

export interface MeasuredPublisherOptions extends PublisherOptions {
  readonly metrics: RelayMetrics;
}

/** Appends rows to the log until each is either published or rejected permanently. */
export class Publisher {
  readonly #options: MeasuredPublisherOptions;

  constructor(options: MeasuredPublisherOptions) {
    this.#options = options;
  }

  /**
   * Appends the rows to the topic, in their order, and retries with backoff. Resolves with the published rows; a row
   * that the log rejects permanently is marked `refused`, goes to the dead letters and is not among them. Rejects with
   * the signal's reason when it aborts.
   */
  async publish(
    topic: string,
    rows: readonly PendingRow[],
    signal: AbortSignal,
  ): Promise<readonly PendingRow[]> {
    const { log, logger, name, metrics } = this.#options;
    let missing = rows;
    for (let attempt = 1; missing.length > 0; attempt++) {
      signal.throwIfAborted();
      try {
        await log.append(topic, missing.map(toRecord));
        metrics.published.inc({ relay: name }, missing.length);
        return rows;
      } catch (error) {
        if (isTooLarge(error)) {
          // The other partitions of a refused request may have been written.
          if (missing.length > 1) missing = await this.#findMissing(topic, missing);
          const rejected = await this.#publishOneByOne(topic, missing, error, signal);
          return rows.filter((row) => !rejected.has(row));
        }
        metrics.failures.inc({ relay: name });
        const delayMs = backoffMs(attempt, retryBackoff);
        logger.warn(
          { err: error, topic, rows: missing.length, attempt, delayMs },
          'publishing failed; trying again',
        );
        await delay(delayMs, signal);
        missing = await this.#findMissing(topic, missing);
      }
    }
    return rows;
  }

  /** A failed append may have written some rows. Returns all rows when the log cannot be read. */
  async #findMissing(topic: string, rows: readonly PendingRow[]): Promise<readonly PendingRow[]> {
    try {
      const published = new Set(await findPublished(this.#options.log, topic, rows));
      return rows.filter((row) => !published.has(row));
    } catch {
      return rows;
    }
  }

  /** Publishes rows of which at least one is too large, one at a time. Resolves with the rejected rows. */
  async #publishOneByOne(
    topic: string,
    rows: readonly PendingRow[],
    error: TidegateError,
    signal: AbortSignal,
  ): Promise<ReadonlySet<PendingRow>> {
    const rejected = new Set<PendingRow>();
    if (rows.length === 1) {
      await this.#reject(rows[0]!, error);
      return rejected.add(rows[0]!);
    }
    for (const row of rows) {
      if ((await this.publish(topic, [row], signal)).length === 0) rejected.add(row);
    }
    return rejected;
  }

  /** Keeps the row in the table: its dead letter may be truncated. */
  async #reject(row: PendingRow, error: TidegateError): Promise<void> {
    const { database, log, logger, name, metrics } = this.#options;
    const { id, topic, key } = row;
    const group = `outbox/${name}`;
    logger.error(
      { err: error, outboxId: id, topic, key },
      'the log refuses this record for good: dead letter',
    );
    await appendDeadLetter(log, {
      reason: error.message,
      group,
      topic,
      key,
      value: Buffer.from(row.value),
      headers: row.headers,
    });
    metrics.deadLetters.inc({ group, reason: error.code });
    await (database.query as Kysely<OutboxTables>)
      .updateTable('outbox')
      .set({ refused: error.message })
      .where('id', '=', id)
      .execute();
  }
}

function toRecord({ key, value, headers }: PendingRow): OutgoingRecord {
  return { key, value: Buffer.from(value), headers };
}

function isTooLarge(error: unknown): error is TidegateError {
  return error instanceof TidegateError && error.code === 'PAYLOAD_TOO_LARGE';
}
