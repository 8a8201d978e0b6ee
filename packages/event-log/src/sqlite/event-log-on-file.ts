import type { Logger } from '@tidegate/runtime/telemetry';
import type { Consumption, EventLog, Position, Tail, TailStart } from '../event-log.ts';
import { assertRecordSizes } from '../record-bytes.ts';
import { logClosed, positionOutOfRange } from '../topic-errors.ts';
import { startConsumption } from './consumption.ts';
import { createGroupCommit } from './group-commit.ts';
import { createGroupStore } from './group-store.ts';
import { createRecordStore } from './record-store.ts';
import { createSchema } from './schema.ts';
import type { SqlFile } from './sql-file.ts';
import { startSweep } from './sweep.ts';
import { startTail } from './tail.ts';
import { createTopicStore, type StoredTopic } from './topic-store.ts';
import { createWakeUps } from './wake-ups.ts';

export interface FileLogOptions {
  readonly logger: Logger;
  readonly pollMs: number;
  readonly maxRecordBytes: number;
  readonly sweepIntervalMs: number;
  readonly heartbeatMs: number;
  readonly sessionTimeoutMs: number;
}

const READ_MAX_BYTES = 64 * 1024 * 1024;

/** The event log over an open file: puts the stores together and owns what was started. */
export function createEventLogOnFile(file: SqlFile, options: FileLogOptions): EventLog {
  const epoch = createSchema(file);
  const topics = createTopicStore(file);
  const records = createRecordStore(file, topics);
  const groups = createGroupStore(file, options.sessionTimeoutMs);
  const wakeUps = createWakeUps(file, options.pollMs);
  const commits = createGroupCommit(file, records, (positions) => wakeUps.appended(positions));
  const sweep = startSweep(file, topics, options.sweepIntervalMs, options.logger);
  const membership = { neighbours: new Set<() => void>(), heartbeatMs: options.heartbeatMs };
  const running = new Set<Consumption | Tail>();
  let closing: Promise<void> | undefined;

  function assertOpen(): void {
    if (closing) throw logClosed();
  }

  function open(name: string): StoredTopic {
    assertOpen();
    return topics.topic(name);
  }

  /** Hands out a view that leaves `running` when it is stopped. */
  function owned<T extends Consumption | Tail>(started: T): T {
    running.add(started);
    const stop = (): Promise<void> => started.stop().finally(() => running.delete(started));
    return { ...started, stop };
  }

  function offsetAt(topic: StoredTopic, partition: number, timeMs: number): number {
    return records.firstOffsetAt(topic, partition, timeMs) ?? topics.endsOf(topic, partition).end;
  }

  function startPositions(topic: StoredTopic, from: TailStart): Position[] {
    return topics.partitionEnds(topic).map(({ partition, start, end }) => {
      const at = (offset: number): Position => ({ topic: topic.name, partition, offset });
      if (from === 'start') return at(start);
      if (from === 'end') return at(end);
      if ('timeMs' in from) return at(offsetAt(topic, partition, from.timeMs));
      const asked = from.positions.find((one) => one.topic === topic.name && one.partition === partition);
      if (!asked) return at(end);
      if (asked.offset < start || asked.offset > end) throw positionOutOfRange(asked, { start, end });
      return at(asked.offset);
    });
  }

  async function close(): Promise<void> {
    sweep.stop();
    commits.flush();
    await Promise.all([...running].map((one) => one.stop()));
    wakeUps.close();
    file.close();
  }

  return {
    async epoch() {
      assertOpen();
      return epoch;
    },
    async ensureTopics(specs) {
      assertOpen();
      topics.ensure(specs);
    },
    async append(name, outgoing) {
      const topic = open(name);
      assertRecordSizes(name, outgoing, options.maxRecordBytes);
      return outgoing.length === 0 ? [] : commits.append(topic, outgoing);
    },
    async consume(consumeOptions) {
      const asked = consumeOptions.topics.map(open);
      return owned(startConsumption({ records, groups, wakeUps }, membership, asked, consumeOptions));
    },
    async tail(tailOptions) {
      const asked = new Map(tailOptions.topics.map((name) => [name, open(name)]));
      const startedAt = [...asked.values()].flatMap((topic) => startPositions(topic, tailOptions.from));
      return owned(startTail({ records, wakeUps }, asked, startedAt, tailOptions));
    },
    async read({ topic: name, partition, fromOffset, toOffset, maxRecords }) {
      const topic = open(name);
      const limits = { maxRecords, maxBytes: READ_MAX_BYTES, toOffset };
      const slice = records.read(topic, partition, fromOffset, limits);
      if (fromOffset < slice.ends.start) {
        throw positionOutOfRange({ topic: name, partition, offset: fromOffset }, slice.ends);
      }
      return slice.records;
    },
    async ends(name) {
      return topics.partitionEnds(open(name));
    },
    async offsetsAt(name, timeMs) {
      const topic = open(name);
      return topics
        .partitionEnds(topic)
        .map(({ partition }) => ({ partition, offset: offsetAt(topic, partition, timeMs) }));
    },
    async lag(group, name) {
      const topic = open(name);
      return topics.partitionEnds(topic).map(({ partition, start, end }) => {
        const acknowledged = groups.checkpoint(group, topic, partition) ?? start;
        return { partition, lag: end - Math.max(acknowledged, start) };
      });
    },
    async ping() {
      assertOpen();
      topics.all();
    },
    close: () => (closing ??= close()),
  };
}
