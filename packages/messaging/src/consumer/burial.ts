import type { EventLog, LogRecord, RecordBatch } from '@tidegate/event-log';
import type { Logger } from '@tidegate/runtime/telemetry';
import { appendDeadLetter } from '../dead-letter.ts';

export interface Burial {
  /** Appends the record to the dead letters and remembers it until its batch is acknowledged. */
  bury(record: LogRecord, reason: string): Promise<void>;
  /** A batch that waits for something else comes again and again; what was buried is buried once. */
  isBuried(record: LogRecord): boolean;
  acknowledged(batch: Pick<RecordBatch, 'topic' | 'partition'>): void;
}

export function createBurial(options: { log: EventLog; logger: Logger; group: string }): Burial {
  const { log, logger, group } = options;
  const buried = new Map<string, Set<number>>();

  async function bury(record: LogRecord, reason: string): Promise<void> {
    const { topic, partition, offset, key } = record;
    logger.error({ group, topic, partition, offset, key, reason }, 'a record goes to the dead letters');
    await appendDeadLetter(log, { ...record, group, reason });
    buried.set(partitionOf(record), (buried.get(partitionOf(record)) ?? new Set()).add(offset));
  }

  return {
    bury,
    isBuried: (record) => buried.get(partitionOf(record))?.has(record.offset) ?? false,
    acknowledged: (batch) => void buried.delete(partitionOf(batch)),
  };
}

function partitionOf({ topic, partition }: { topic: string; partition: number }): string {
  return `${topic}/${partition}`;
}
