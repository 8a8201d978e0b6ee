import type { PendingRow } from './pending-rows.ts';

/** Rows of one topic that are appended with one call. */
export interface Delivery {
  readonly topic: string;
  readonly rows: readonly PendingRow[];
}

export interface InFlight {
  readonly size: number;
  /** Topics that have as many deliveries under way as they may. */
  busyTopics(): string[];
  /** Called before rows are read: a row deleted from now on may still be among them. */
  beforeRead(): ReadMark;
  /**
   * Of the rows read, what can be sent next to what is under way without overtaking it; it counts as under way from
   * now on.
   */
  plan(rows: readonly PendingRow[], mark: ReadMark): Delivery[];
  /** The delivery is in the log: later rows of its keys may follow. */
  appended(delivery: Delivery): void;
  /** The delivery's rows are gone from the table. */
  removed(delivery: Delivery): void;
  /** The delivery is given up: its rows are to be read again. */
  forget(delivery: Delivery): void;
}

/** How many deletions had happened. */
export type ReadMark = number;

export interface InFlightLimits {
  readonly maxRecords: number;
  readonly maxBytes: number;
  readonly maxDeliveriesPerTopic: number;
}

/**
 * Which rows are being published. Two deliveries of one topic may be under way at once, never with a key in common:
 * the log promises an order between calls only when the second starts after the first resolved.
 */
export function createInFlight(limits: InFlightLimits): InFlight {
  const ids = new Set<number>();
  const removedIds: number[] = [];
  const keys = new Map<string, Set<string>>();
  const deliveries = new Map<string, Set<Delivery>>();

  function plan(rows: readonly PendingRow[], mark: ReadMark): Delivery[] {
    const idle = rows.filter((row) => !ids.has(row.id) && !keys.get(row.topic)?.has(row.key));
    // Neither this read nor a later one can show what was deleted before it began.
    for (const id of removedIds.splice(0, mark)) ids.delete(id);
    return [...Map.groupBy(idle, (row) => row.topic)].map(([topic, own]) => {
      const delivery = { topic, rows: fitting(own, limits) };
      begin(delivery);
      return delivery;
    });
  }

  function begin(delivery: Delivery): void {
    const busy = keys.get(delivery.topic) ?? new Set();
    keys.set(delivery.topic, busy);
    for (const row of delivery.rows) {
      ids.add(row.id);
      busy.add(row.key);
    }
    deliveries.set(delivery.topic, (deliveries.get(delivery.topic) ?? new Set()).add(delivery));
  }

  function appended(delivery: Delivery): void {
    if (!deliveries.get(delivery.topic)?.delete(delivery)) return;
    const busy = keys.get(delivery.topic);
    for (const row of delivery.rows) busy?.delete(row.key);
  }

  return {
    get size() {
      return ids.size;
    },
    busyTopics: () =>
      [...deliveries].filter(([, own]) => own.size >= limits.maxDeliveriesPerTopic).map(([topic]) => topic),
    beforeRead: () => removedIds.length,
    plan,
    appended,
    removed(delivery) {
      appended(delivery);
      for (const row of delivery.rows) removedIds.push(row.id);
    },
    forget(delivery) {
      appended(delivery);
      for (const row of delivery.rows) ids.delete(row.id);
    },
  };
}

/** As many from the front as one call may carry, and always one. */
function fitting(rows: readonly PendingRow[], { maxRecords, maxBytes }: InFlightLimits): PendingRow[] {
  let bytes = 0;
  const end = rows.slice(0, maxRecords).findIndex((row, index) => {
    bytes += Buffer.byteLength(row.value);
    return index > 0 && bytes > maxBytes;
  });
  return rows.slice(0, end < 0 ? maxRecords : end);
}
