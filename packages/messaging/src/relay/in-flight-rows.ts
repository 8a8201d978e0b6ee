import type { PendingRow } from './pending-rows.ts';

/** Rows of one topic that are appended with one call. */
export interface Delivery {
  readonly topic: string;
  readonly rows: readonly PendingRow[];
}

/** Number of rows deleted before a read began. */
export type ReadMark = number;

export interface InFlightLimits {
  /** Maximum records of one delivery. */
  readonly maxRecords: number;
  /** Maximum size of one delivery in bytes; a single larger record still makes a delivery. */
  readonly maxBytes: number;
  /** Maximum concurrent deliveries of one topic. */
  readonly maxDeliveriesPerTopic: number;
}

/**
 * Tracks the rows that are being published, and so keeps the order per key. Two deliveries of one topic may be in
 * flight at once, but never with a common key: the log guarantees an order between two appends only when the second
 * starts after the first resolved.
 */
export class InFlightRows {
  readonly #limits: InFlightLimits;
  readonly #ids = new Set<number>();
  readonly #removedIds: number[] = [];
  /** Keys with a row in flight, by topic. */
  readonly #keys = new Map<string, Set<string>>();
  readonly #deliveries = new Map<string, Set<Delivery>>();

  constructor(limits: InFlightLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#ids.size;
  }

  /** Topics with the maximum number of deliveries in flight. */
  busyTopics(): string[] {
    return [...this.#deliveries]
      .filter(([, own]) => own.size >= this.#limits.maxDeliveriesPerTopic)
      .map(([topic]) => topic);
  }

  /** Must be called before rows are read: rows deleted from now on may still be in the result. */
  beforeRead(): ReadMark {
    return this.#removedIds.length;
  }

  /** Groups the rows into deliveries that overtake no row in flight, and counts these as in flight. */
  plan(rows: readonly PendingRow[], mark: ReadMark): Delivery[] {
    const idle = rows.filter((row) => !this.#ids.has(row.id) && !this.#keys.get(row.topic)?.has(row.key));
    // Rows deleted before this read began can be neither in its result nor in a later one, so their
    // ids need not be remembered any more.
    for (const id of this.#removedIds.splice(0, mark)) this.#ids.delete(id);
    return [...Map.groupBy(idle, (row) => row.topic)].map(([topic, own]) => {
      const delivery = { topic, rows: firstDelivery(own, this.#limits) };
      this.#begin(delivery);
      return delivery;
    });
  }

  #begin(delivery: Delivery): void {
    const keys = this.#keys.get(delivery.topic) ?? new Set();
    this.#keys.set(delivery.topic, keys);
    for (const row of delivery.rows) {
      this.#ids.add(row.id);
      keys.add(row.key);
    }
    const own = this.#deliveries.get(delivery.topic) ?? new Set();
    this.#deliveries.set(delivery.topic, own.add(delivery));
  }

  /** The delivery is in the log: later rows of its keys may follow. */
  onAppended(delivery: Delivery): void {
    if (!this.#deliveries.get(delivery.topic)?.delete(delivery)) return;
    const keys = this.#keys.get(delivery.topic);
    for (const row of delivery.rows) keys?.delete(row.key);
  }

  /** The delivery's rows are deleted from the table. */
  onRemoved(delivery: Delivery): void {
    this.onAppended(delivery);
    for (const row of delivery.rows) this.#removedIds.push(row.id);
  }

  /** The delivery failed: its rows may be planned again. */
  onFailed(delivery: Delivery): void {
    this.onAppended(delivery);
    for (const row of delivery.rows) this.#ids.delete(row.id);
  }
}

/** Takes rows from the front up to the limits, and always at least one. */
function firstDelivery(
  rows: readonly PendingRow[],
  { maxRecords, maxBytes }: InFlightLimits,
): readonly PendingRow[] {
  let bytes = 0;
  const end = rows.slice(0, maxRecords).findIndex((row, index) => {
    bytes += Buffer.byteLength(row.value);
    return index > 0 && bytes > maxBytes;
  });
  return rows.slice(0, end < 0 ? maxRecords : end);
}
