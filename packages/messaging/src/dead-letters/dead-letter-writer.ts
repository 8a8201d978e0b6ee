import type { EventLog, LogRecord, RecordBatch } from '@tidegate/event-log';
import type { Logger } from '@tidegate/runtime/telemetry';
import type { ConsumerMetrics } from '../metrics.ts';
import { appendDeadLetter } from './dead-letter.ts';
import type { DeliveredRecord } from './redriven-record.ts';

export interface DeadLetterWriterOptions {
  readonly log: EventLog;
  readonly logger: Logger;
  /** Consumer group, for the log line and the `dl_group` header. */
  readonly group: string;
  readonly deadLetters: ConsumerMetrics['deadLetters'];
}

/** Why a record cannot be used. */
export interface DeadLetterCause {
  /** Code of the error, for the metric. */
  readonly code: string;
  /** One sentence for the operator. */
  readonly reason: string;
}

/**
 * Writes records of one consumer to the dead letters. A batch that is not acknowledged is delivered again; the writer
 * remembers the offsets it has written since, so that each record gets one dead letter.
 */
export class DeadLetterWriter {
  readonly #options: DeadLetterWriterOptions;
  /** Written offsets of the unacknowledged batch, by partition. */
  readonly #written = new Map<string, Set<number>>();

  constructor(options: DeadLetterWriterOptions) {
    this.#options = options;
  }

  /** Resolves when the dead letter is in the log. */
  async write({ record, delivered }: DeliveredRecord, { code, reason }: DeadLetterCause): Promise<void> {
    const { log, logger, group, deadLetters } = this.#options;
    const { topic, partition, offset, key } = record;
    logger.error({ group, topic, partition, offset, key, reason }, 'a record goes to the dead letters');
    await appendDeadLetter(log, { ...record, group, reason });
    deadLetters.inc({ group, reason: code });
    const name = partitionName(delivered);
    this.#written.set(name, (this.#written.get(name) ?? new Set()).add(delivered.offset));
  }

  /** True when the record, as it was delivered, was written and its batch is not acknowledged yet. */
  hasWritten(record: LogRecord): boolean {
    return this.#written.get(partitionName(record))?.has(record.offset) ?? false;
  }

  /** Forgets the offsets of an acknowledged batch. */
  onAcknowledged(batch: Pick<RecordBatch, 'topic' | 'partition'>): void {
    this.#written.delete(partitionName(batch));
  }
}

function partitionName({ topic, partition }: { topic: string; partition: number }): string {
  return `${topic}/${partition}`;
}
