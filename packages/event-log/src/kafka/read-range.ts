import type { LogRecord, ReadOptions } from '../event-log.ts';
import { positionOutOfRange, unknownPartition } from '../topic-errors.ts';
import type { FetchClient } from './fetch-client.ts';

const MAX_WAIT_MS = 100;

/** Reads a range of one partition as `EventLog.read` promises. Does not wait for records beyond the partition's end. */
export async function readRange(client: FetchClient, options: ReadOptions): Promise<LogRecord[]> {
  const topic = await client.topic(options.topic);
  const { partition, fromOffset } = options;
  const leader = topic.partitions[partition]?.leader;
  if (leader === undefined) throw unknownPartition(options.topic, partition);
  const start = (await client.offsets(options.topic, 'start'))[partition] ?? 0;
  const end = (await client.offsets(options.topic, 'end'))[partition] ?? 0;
  if (fromOffset < start) {
    throw positionOutOfRange({ topic: options.topic, partition, offset: fromOffset }, { start, end });
  }
  const to = Math.min(end, options.toOffset);
  const records: LogRecord[] = [];
  let offset = fromOffset;
  while (offset < to && records.length < options.maxRecords) {
    const [fetched] = await client.fetch(leader, [{ topic, partition, offset }], MAX_WAIT_MS);
    if (!fetched) continue;
    records.push(...fetched.records.filter((record) => record.offset < to));
    offset = fetched.nextOffset;
  }
  return records.slice(0, options.maxRecords);
}
