import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll } from 'vitest';
import type { EventLog, LogRecord, OutgoingRecord, Tail, TailStart, TopicSpec } from '../event-log.ts';

/** A storage on which logs can be opened. */
export interface EventLogSubject {
  /** Opens another log on the same storage, as a restarted or a second process would. */
  open(): Promise<EventLog>;
  /** Deletes the records of a partition before the offset, as retention does. */
  deleteBefore(topic: string, partition: number, offset: number): Promise<void>;
  /** Removes the topics and groups whose names start with the prefix, and the storage when the suite created it. */
  dispose(prefix: string): Promise<void>;
}

export type CreateSubject = () => Promise<EventLogSubject>;

export interface SubjectFixture {
  /** Opens a log that is closed after the test. */
  open(): Promise<EventLog>;
  subject(): EventLogSubject;
  /** Returns a name that no other test run uses. */
  name(kind: string): string;
  /** Creates a topic under such a name and returns the name. */
  topic(log: EventLog, spec?: Partial<TopicSpec>): Promise<string>;
}

/** Registers the hooks that create and remove the storage. Call it inside a `describe`. */
export function useSubject(create: CreateSubject): SubjectFixture {
  const prefix = `conformance-${randomUUID().slice(0, 8)}-`;
  const opened: EventLog[] = [];
  let subject: EventLogSubject;
  let names = 0;

  beforeAll(async () => {
    subject = await create();
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((log) => log.close()));
  });
  afterAll(async () => {
    await subject.dispose(prefix);
  });

  const name = (kind: string): string => `${prefix}${kind}-${++names}`;
  return {
    name,
    subject: () => subject,
    async open() {
      const log = await subject.open();
      opened.push(log);
      return log;
    },
    async topic(log, spec = {}) {
      const topic = name('topic');
      await log.ensureTopics([
        { name: topic, partitions: 3, cleanup: 'delete', retentionMs: 3_600_000, ...spec },
      ]);
      return topic;
    },
  };
}

export function record(key: string, value: string, more: Partial<OutgoingRecord> = {}): OutgoingRecord {
  return { key, value: Buffer.from(value), headers: {}, ...more };
}

/** Returns `count` records with the values `from`, `from + 1` … that take the keys in turn. */
export function numbered(count: number, keys: readonly string[] = ['a'], from = 0): OutgoingRecord[] {
  return Array.from({ length: count }, (_, i) => record(keys[i % keys.length] as string, String(from + i)));
}

export function texts(records: readonly LogRecord[]): string[] {
  return records.map(({ value }) => (value === null ? 'null' : value.toString()));
}

/** Keys of partition 0 and partition 1 of three. */
export const [keyOfP0, keyOfP1] = ['key-4', 'key-0'] as const;

export interface Collected {
  readonly records: LogRecord[];
  readonly tail: Tail;
}

export async function collect(log: EventLog, topic: string, from: TailStart): Promise<Collected> {
  const records: LogRecord[] = [];
  const tail = await log.tail({
    topics: [topic],
    from,
    onRecords: (batch) => void records.push(...batch),
  });
  return { records, tail };
}
