import { TidegateError } from '@tidegate/core';
import { partitionFor, type EventLog, type LogRecord, type PartitionEnds } from '@tidegate/event-log';
import type { PendingRow } from './pending-rows.ts';

const PAGE_RECORDS = 500;
const MAX_PAGES = 20;
/** Maximum difference between the clocks of the process that wrote a row and the one that published it. */
const CLOCK_SKEW_MS = 2 * 60 * 60 * 1000;

/**
 * Returns the rows that are already in the log: after a crash between publishing and deleting, or after a failed append
 * that wrote some records. Reads each row's partition backwards from its end until the row's creation time, at most
 * 10,000 records.
 */
export async function findPublished(
  log: EventLog,
  topic: string,
  rows: readonly PendingRow[],
): Promise<PendingRow[]> {
  const ends = await log.ends(topic);
  const byPartition = Map.groupBy(rows, (row) => partitionFor(row.key, ends.length));
  const found = await Promise.all(
    ends.map((end) => findInPartition(log, topic, end, byPartition.get(end.partition) ?? [])),
  );
  return found.flat();
}

async function findInPartition(
  log: EventLog,
  topic: string,
  { partition, start, end }: PartitionEnds,
  rows: readonly PendingRow[],
): Promise<PendingRow[]> {
  const missing = new Map(rows.map((row) => [identity(row.headers), row]));
  const found: PendingRow[] = [];
  const oldestMs = Math.min(...rows.map((row) => row.createdAt)) - CLOCK_SKEW_MS;
  let toOffset = end;
  for (let page = 0; page < MAX_PAGES && missing.size > 0 && toOffset > start; page++) {
    const fromOffset = Math.max(start, toOffset - PAGE_RECORDS);
    const records = await readPage(log, { topic, partition, fromOffset, toOffset, maxRecords: PAGE_RECORDS });
    for (const record of records ?? []) {
      const row = missing.get(identity(record.headers));
      if (row) found.push(row);
      missing.delete(identity(record.headers));
    }
    if (!records || (records[0] && records[0].timestampMs < oldestMs)) break;
    toOffset = fromOffset;
  }
  return found;
}

/** Undefined when retention has just deleted these offsets. */
async function readPage(
  log: EventLog,
  page: Parameters<EventLog['read']>[0],
): Promise<LogRecord[] | undefined> {
  try {
    return await log.read(page);
  } catch (error) {
    if (error instanceof TidegateError && error.code === 'LOG_POSITION_OUT_OF_RANGE') return undefined;
    throw error;
  }
}

function identity(headers: Readonly<Record<string, string>>): string {
  return `${headers['ce_source']} ${headers['ce_id']}`;
}
