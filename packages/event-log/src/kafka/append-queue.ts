import { TidegateError } from '@tidegate/core';
import type { OutgoingRecord, Position } from '../event-log.ts';
import { partitionFor } from '../murmur2.ts';
import { recordBytes } from '../record-bytes.ts';
import type { PartitionedRecord } from './write-client.ts';

/** Resolves, when all records are durable, with the offset of the first record of each partition. */
export type SendBatch = (records: readonly PartitionedRecord[]) => Promise<ReadonlyMap<number, number>>;

interface PendingAppend {
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
 * The appends to one topic, in order. Appends that arrive during a request are batched into the next one. One request
 * at a time keeps the order, and a burst does not pay a round trip for each call.
 */
export class AppendQueue {
  readonly #topic: string;
  #partitions: number;
  /** Time at which the number of partitions was last known to be right or was asked for. */
  #checkedAtMs = performance.now();
  readonly #send: SendBatch;
  #pending: PendingAppend[] = [];
  #pendingBytes = 0;
  #sending: Promise<void> | undefined;

  constructor(topic: string, partitions: number, send: SendBatch) {
    this.#topic = topic;
    this.#partitions = partitions;
    this.#send = send;
  }

  /** @throws TidegateError UNAVAILABLE when 64 MiB are pending; errors of `send` as they are. */
  append(outgoing: readonly OutgoingRecord[]): Promise<Position[]> {
    const bytes = outgoing.reduce((sum, record) => sum + recordBytes(record) + OVERHEAD_BYTES, 0);
    if (this.#pendingBytes > 0 && this.#pendingBytes + bytes > MAX_PENDING_BYTES) {
      return Promise.reject(
        new TidegateError('UNAVAILABLE', 'Too much waits to be appended to the event log.'),
      );
    }
    const records = outgoing.map((record) => ({
      record,
      partition: partitionFor(record.key, this.#partitions),
    }));
    return new Promise((resolve, reject) => {
      this.#pending.push({ records, bytes, resolve, reject });
      this.#pendingBytes += bytes;
      this.#sending ??= this.#run();
    });
  }

  /** True once in this many milliseconds: the caller then looks the number up and sets it. */
  isPartitionCountOld(maxAgeMs: number): boolean {
    const nowMs = performance.now();
    if (nowMs - this.#checkedAtMs < maxAgeMs) return false;
    this.#checkedAtMs = nowMs;
    return true;
  }

  /** Applies to later appends. */
  setPartitions(partitions: number): void {
    this.#partitions = partitions;
  }

  /** Resolves when no append is pending. */
  async drain(): Promise<void> {
    await this.#sending;
  }

  async #run(): Promise<void> {
    // Further calls of this turn share the first request.
    await new Promise(setImmediate);
    while (this.#pending.length > 0) {
      await this.#settle(this.#takeCalls());
    }
    this.#sending = undefined;
  }

  /** Sends calls together. When that is too large, a record of one must not fail the others: each is sent alone. */
  async #settle(calls: readonly PendingAppend[]): Promise<void> {
    try {
      const positions = await this.#sendAll(
        calls.flatMap((call) => call.records),
        calls.length === 1,
      );
      let from = 0;
      for (const call of calls) call.resolve(positions.slice(from, (from += call.records.length)));
    } catch (error) {
      if (calls.length > 1 && isTooLarge(error)) for (const call of calls) await this.#settle([call]);
      else for (const call of calls) call.reject(error);
    }
  }

  /** Takes as many whole calls as fit into one request; a larger call is taken alone. */
  #takeCalls(): PendingAppend[] {
    let bytes = 0;
    let count = 0;
    for (const call of this.#pending) {
      bytes += call.bytes;
      if (count > 0 && bytes > MAX_SEND_BYTES) break;
      count++;
    }
    const calls = this.#pending.slice(0, count);
    this.#pending = this.#pending.slice(count);
    for (const call of calls) this.#pendingBytes -= call.bytes;
    return calls;
  }

  async #sendAll(records: readonly PartitionedRecord[], mayHalve: boolean): Promise<Position[]> {
    const positions: Position[] = [];
    for (const part of splitByBytes(records)) positions.push(...(await this.#sendPart(part, mayHalve)));
    return positions;
  }

  /** The topic may have a smaller limit for a batch than the default: a part that is too large is sent in halves. */
  async #sendPart(part: readonly PartitionedRecord[], mayHalve: boolean): Promise<Position[]> {
    let nextOffsets: Map<number, number>;
    try {
      nextOffsets = new Map(await this.#send(part));
    } catch (error) {
      if (!mayHalve || part.length === 1 || !isTooLarge(error)) throw error;
      const middle = Math.ceil(part.length / 2);
      const first = await this.#sendPart(part.slice(0, middle), true);
      return [...first, ...(await this.#sendPart(part.slice(middle), true))];
    }
    return part.map(({ partition }) => {
      const offset = nextOffsets.get(partition) as number;
      nextOffsets.set(partition, offset + 1);
      return { topic: this.#topic, partition, offset };
    });
  }
}

function isTooLarge(error: unknown): boolean {
  return error instanceof TidegateError && error.code === 'PAYLOAD_TOO_LARGE';
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
