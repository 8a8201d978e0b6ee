import type { Database, Tables } from '@tidegate/database';
import { TidegateError } from '@tidegate/core';
import type { EventLog, OutgoingRecord } from '@tidegate/event-log';
import { backoffMs, delay } from '@tidegate/runtime/resilience';
import type { Logger } from '@tidegate/runtime/telemetry';
import type { Kysely } from 'kysely';
import { appendDeadLetter } from '../dead-letter.ts';
import type { OutboxTables } from '../outbox-tables.ts';
import { findPublished } from './find-published.ts';
import type { PendingRow } from './pending-rows.ts';

export interface PublisherOptions {
  readonly database: Database<Tables>;
  readonly log: EventLog;
  readonly logger: Logger;
  /** The relay's name, for the dead letters. */
  readonly name: string;
}

export interface Publisher {
  /**
   * Resolves with the rows that are in the log now (those it refused for good are not among them: they are marked and
   * in the dead letters). Tries the same rows again, with backoff, until then or until the signal aborts: rejects.
   */
  publish(topic: string, rows: readonly PendingRow[], signal: AbortSignal): Promise<readonly PendingRow[]>;
}

const appendBackoff = { firstMs: 50, maxMs: 5_000 };

export function createPublisher({ database, log, logger, name }: PublisherOptions): Publisher {
  async function publish(
    topic: string,
    rows: readonly PendingRow[],
    signal: AbortSignal,
  ): Promise<readonly PendingRow[]> {
    let missing = rows;
    for (let attempt = 1; missing.length > 0; attempt++) {
      signal.throwIfAborted();
      try {
        await log.append(topic, missing.map(toRecord));
        return rows;
      } catch (error) {
        if (isTooLarge(error)) return publishOneByOne(topic, rows, missing, error, signal);
        const delayMs = backoffMs(attempt, appendBackoff);
        logger.warn(
          { err: error, topic, rows: missing.length, attempt, delayMs },
          'publishing failed; trying again',
        );
        await delay(delayMs, signal);
        missing = await stillMissing(topic, missing);
      }
    }
    return rows;
  }

  /** A call that failed may have appended some. When the log cannot even be asked, all are tried again. */
  async function stillMissing(topic: string, rows: readonly PendingRow[]): Promise<readonly PendingRow[]> {
    try {
      const published = new Set(await findPublished(log, topic, rows));
      return rows.filter((row) => !published.has(row));
    } catch {
      return rows;
    }
  }

  /** One of them is too large: the others go in their order, that one is put aside. */
  async function publishOneByOne(
    topic: string,
    rows: readonly PendingRow[],
    missing: readonly PendingRow[],
    error: Error,
    signal: AbortSignal,
  ): Promise<readonly PendingRow[]> {
    if (missing.length === 1) {
      await refuse(missing[0]!, error);
      return rows.filter((row) => row !== missing[0]);
    }
    const published = new Set(rows);
    for (const row of missing) {
      if ((await publish(topic, [row], signal)).length === 0) published.delete(row);
    }
    return [...published];
  }

  /** Keeps the row with the reason: in the log's dead letters it may be cut, in the table it is whole. */
  async function refuse(row: PendingRow, error: Error): Promise<void> {
    const { id, topic, key } = row;
    logger.error(
      { err: error, outboxId: id, topic, key },
      'the log refuses this record for good: dead letter',
    );
    await appendDeadLetter(log, {
      reason: error.message,
      group: `outbox/${name}`,
      topic,
      key,
      value: Buffer.from(row.value),
      headers: row.headers,
    });
    await (database.query as Kysely<OutboxTables>)
      .updateTable('outbox')
      .set({ refused: error.message })
      .where('id', '=', id)
      .execute();
  }

  return { publish };
}

function toRecord({ key, value, headers }: PendingRow): OutgoingRecord {
  return { key, value: Buffer.from(value), headers };
}

function isTooLarge(error: unknown): error is TidegateError {
  return error instanceof TidegateError && error.code === 'PAYLOAD_TOO_LARGE';
}
