import type { Position } from '../event-log.ts';
import { AppendNotifier } from './append-notifier.ts';
import type { SqlFile } from './sql-file.ts';
import type { StoredTopic } from './topic-store.ts';

interface Waiter {
  readonly topic: StoredTopic;
  readonly partition: number;
  readonly offset: number;
  readonly wake: () => void;
}

/** Polls without a commit of another process (2 s by default) after which the interval is multiplied by `QUIET_FACTOR`. */
const QUIET_POLLS = 200;
/** A poll costs 3 µs, waking an idle process for it up to 200 µs on a virtual machine. */
const QUIET_FACTOR = 5;
/** Poll interval while other processes notify: one may be killed between its commit and its notification. */
const NOTIFIED_POLL_MS = 250;

export interface WakeUpsOptions {
  readonly file: SqlFile;
  /** Path of the log; undefined for a log in memory. */
  readonly path: string | undefined;
  /** Poll interval in milliseconds; 0: nothing is watched; call `poll` now and then. */
  readonly pollMs: number;
}

function prepareStatements(file: SqlFile) {
  return {
    // Changes exactly when another connection commits.
    dataVersion: file.prepare<{ data_version: number }>('PRAGMA data_version'),
    endOf: file.prepare<{ next_offset: number }>(
      'SELECT next_offset FROM partitions WHERE topic_id = ? AND partition = ?',
    ),
  };
}

/**
 * Wakes readers: at once for appends of this process, by a notifier for appends of other processes on the file. Polls as
 * well, because a notification may be missing.
 */
export class WakeUps {
  readonly #file: SqlFile;
  readonly #pollMs: number;
  readonly #notifier: AppendNotifier | undefined;
  readonly #sql: ReturnType<typeof prepareStatements>;
  readonly #waiters = new Map<string, Set<Waiter>>();
  #seenVersion: number | undefined;
  #quietPolls = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor({ file, path, pollMs }: WakeUpsOptions) {
    this.#file = file;
    this.#pollMs = pollMs;
    this.#notifier = pollMs > 0 && path !== undefined ? new AppendNotifier(`${path}-appends`) : undefined;
    this.#sql = prepareStatements(file);
    this.#seenVersion = this.#dataVersion();
  }

  /** Resolves once the partition may hold `offset`, or when the signal aborts. */
  wait(topic: StoredTopic, partition: number, offset: number, signal: AbortSignal): Promise<void> {
    if (this.#pollMs > 0 && !this.#timer) this.#followOtherProcesses();
    // Records appended since the reader's last read have woken nobody.
    if (signal.aborted || this.#endOf(topic, partition) > offset) return Promise.resolve();
    return new Promise((resolve) => {
      const key = `${topic.name}/${partition}`;
      const waiters = this.#waiters.get(key) ?? new Set();
      const wake = (): void => {
        waiters.delete(waiter);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      const waiter: Waiter = { topic, partition, offset, wake };
      this.#waiters.set(key, waiters.add(waiter));
      signal.addEventListener('abort', wake, { once: true });
    });
  }

  /** Wakes the readers of the partitions to which this process has appended. */
  appended(positions: readonly Position[]): void {
    for (const { topic, partition } of positions) {
      for (const waiter of this.#waiters.get(`${topic}/${partition}`) ?? []) waiter.wake();
    }
    this.#notifier?.notify();
  }

  /** Wakes the readers of records that other processes have appended. */
  poll(): void {
    let woken: Waiter[];
    try {
      woken = this.#reachedWaiters();
    } catch {
      // The next read of each reader meets the same fault of the file and reports it.
      woken = this.#allWaiters();
    }
    for (const waiter of woken) waiter.wake();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#notifier?.close();
  }

  #followOtherProcesses(): void {
    this.#notifier?.watch(() => this.poll());
    this.#schedulePoll();
  }

  #schedulePoll(): void {
    const unnotifiedMs = this.#quietPolls < QUIET_POLLS ? this.#pollMs : this.#pollMs * QUIET_FACTOR;
    const ms = this.#notifier?.isWatching ? NOTIFIED_POLL_MS : unnotifiedMs;
    this.#timer = setTimeout(() => {
      this.poll();
      this.#schedulePoll();
    }, ms).unref();
  }

  /** Waiters whose offset is there now; empty when no other process has committed since the last poll. */
  #reachedWaiters(): Waiter[] {
    const version = this.#dataVersion();
    this.#quietPolls += 1;
    if (version === this.#seenVersion) return [];
    this.#quietPolls = 0;
    this.#seenVersion = version;
    // One transaction: each statement by itself would lock and unlock the file.
    return this.#file.read(() =>
      this.#allWaiters().filter(({ topic, partition, offset }) => this.#endOf(topic, partition) > offset),
    );
  }

  #allWaiters(): Waiter[] {
    return [...this.#waiters.values()].flatMap((waiters) => [...waiters]);
  }

  #dataVersion(): number | undefined {
    return this.#sql.dataVersion.get()?.data_version;
  }

  #endOf(topic: StoredTopic, partition: number): number {
    return this.#sql.endOf.get(topic.id, partition)?.next_offset ?? 0;
  }
}
