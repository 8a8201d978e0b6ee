import { TidegateError } from '@tidegate/core';
import type { OutgoingRecord, Position } from '../event-log.ts';
import { partitionFor } from '../murmur2.ts';
import { recordBytes } from '../record-bytes.ts';

export interface PartitionedRecord {
  readonly partition: number;
  readonly record: OutgoingRecord;
}

/** Resolves, when all are durable, with the offset of the first record of each partition. */
export type SendBatch = (records: readonly PartitionedRecord[]) => Promise<ReadonlyMap<number, number>>;

export interface AppendQueue {
  append(records: readonly OutgoingRecord[], partitions: number): Promise<Position[]>;
  /** Resolves when nothing is pending. */
  drained(): Promise<void>;
}

interface Pending {
  readonly records: readonly PartitionedRecord[];
  readonly bytes: number;
  readonly resolve: (positions: Position[]) => void;
  readonly reject: (error: unknown) => void;
}

/** The broker limits a batch of one partition to 1 MiB; in the worst case all records go to one. */
const MAX_SEND_BYTES = 900_000;
const MAX_PENDING_BYTES = 64 * 1024 * 1024;
const OVERHEAD_BYTES = 64;

/**
 * One topic's appends, in order: what comes in while a request is on its way goes out together with the next one.
 * So there is one request at a time, which keeps the order, and a burst does not pay a round trip for each call.
 */
export function createAppendQueue(topic: string, send: SendBatch): AppendQueue {
  let pending: Pending[] = [];
  let pendingBytes = 0;
  let sending: Promise<void> | undefined;

  /** As many whole calls as fit; a call that is too large alone goes alone. */
  function takeCalls(): Pending[] {
    let bytes = 0;
    let count = 0;
    for (const call of pending) {
      bytes += call.bytes;
      if (count > 0 && bytes > MAX_SEND_BYTES) break;
      count++;
    }
    const calls = pending.slice(0, count);
    pending = pending.slice(count);
    for (const call of calls) pendingBytes -= call.bytes;
    return calls;
  }

  async function sendAll(records: readonly PartitionedRecord[]): Promise<Position[]> {
    const positions: Position[] = [];
    for (const part of splitByBytes(records)) {
      const nextOffsets = new Map(await send(part));
      for (const { partition } of part) {
        const offset = nextOffsets.get(partition) as number;
        nextOffsets.set(partition, offset + 1);
        positions.push({ topic, partition, offset });
      }
    }
    return positions;
  }

  async function run(): Promise<void> {
    // The rest of this turn's calls share the first request.
    await new Promise(setImmediate);
    while (pending.length > 0) {
      const calls = takeCalls();
      try {
        const positions = await sendAll(calls.flatMap((call) => call.records));
        let from = 0;
        for (const call of calls) call.resolve(positions.slice(from, (from += call.records.length)));
      } catch (error) {
        for (const call of calls) call.reject(error);
      }
    }
    sending = undefined;
  }

  return {
    append(outgoing, partitions) {
      const records = outgoing.map((record) => ({ record, partition: partitionFor(record.key, partitions) }));
      const bytes = outgoing.reduce((sum, record) => sum + recordBytes(record) + OVERHEAD_BYTES, 0);
      if (pendingBytes > 0 && pendingBytes + bytes > MAX_PENDING_BYTES) {
        return Promise.reject(new TidegateError('UNAVAILABLE', `Too much waits to be appended to ${topic}.`));
      }
      return new Promise((resolve, reject) => {
        pending.push({ records, bytes, resolve, reject });
        pendingBytes += bytes;
        sending ??= run();
      });
    },
    async drained() {
      await sending;
    },
  };
}

function splitByBytes(records: readonly PartitionedRecord[]): PartitionedRecord[][] {
  const parts: PartitionedRecord[][] = [];
  let bytes = Infinity;
  for (const one of records) {
    const size = recordBytes(one.record) + OVERHEAD_BYTES;
    bytes += size;
    if (bytes > MAX_SEND_BYTES) {
      parts.push([]);
      bytes = size;
    }
    parts.at(-1)?.push(one);
  }
  return parts;
}
