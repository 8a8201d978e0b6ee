import type { Position } from '../event-log.ts';
import { hangBell } from './bell.ts';
import type { SqlFile } from './sql-file.ts';
import type { StoredTopic } from './topic-store.ts';

export interface WakeUps {
  /** Resolves once the partition may hold `offset`, or when the signal aborts. */
  wait(topic: StoredTopic, partition: number, offset: number, signal: AbortSignal): Promise<void>;
  /** This process appended to these partitions. */
  appended(positions: readonly Position[]): void;
  close(): void;
}

interface Waiter {
  readonly topic: StoredTopic;
  readonly partition: number;
  readonly offset: number;
  readonly wake: () => void;
}

/** How often to look all the same while there is a bell: a process may have been killed before it rang. */
const BELL_LOOK_MS = 250;
/** Where there is none: after so many looks that found nothing new, looks are made this many times more rarely. */
const QUIET_LOOKS = 200;
const QUIET_FACTOR = 5;

/**
 * Wakes readers at once for this process's appends. Those of other processes on the same file are seen by
 * `PRAGMA data_version`, which changes exactly when another connection commits: looked at when somebody has rung the
 * bell. Without a bell the file is looked at every `pollMs`, and every `5 * pollMs` when nobody else has written for
 * some seconds: a look costs 3 µs, but to wake an idle process for it up to 200 µs on a virtual machine. `pollMs` 0:
 * there are no other processes.
 */
export function createWakeUps(file: SqlFile, pollMs: number): WakeUps {
  const waiters = new Map<string, Set<Waiter>>();
  const dataVersion = file.prepare<{ data_version: number }>('PRAGMA data_version');
  const endOf = file.prepare<{ next_offset: number }>(
    'SELECT next_offset FROM partitions WHERE topic_id = ? AND partition = ?',
  );
  let seenVersion = dataVersion.get()?.data_version;
  // A database in memory has no other processes.
  const bell = pollMs === 0 || file.path === undefined ? undefined : hangBell(`${file.path}-bell`);
  let timer: NodeJS.Timeout | undefined;
  let quietLooks = 0;

  const allWaiters = (): Waiter[] => [...waiters.values()].flatMap((set) => [...set]);
  const endOfPartition = (topic: StoredTopic, partition: number): number =>
    endOf.get(topic.id, partition)?.next_offset ?? 0;

  /** Who waits for something that is there; only looked for when others have written. */
  function reached(): Waiter[] {
    const version = dataVersion.get()?.data_version;
    quietLooks += 1;
    if (version === seenVersion) return [];
    quietLooks = 0;
    seenVersion = version;
    // In one transaction: each by itself would lock the file and unlock it again.
    return file.read(() =>
      allWaiters().filter(({ topic, partition, offset }) => endOfPartition(topic, partition) > offset),
    );
  }

  function lookForOthers(): void {
    let woken: Waiter[];
    try {
      woken = reached();
    } catch {
      // Nobody is there to be told here: those who read meet what is wrong with the file, and say so.
      woken = allWaiters();
    }
    for (const waiter of woken) waiter.wake();
  }

  function startLooking(): void {
    if (!bell || timer) return;
    bell.listen(lookForOthers);
    const lookAgain = (): void => {
      const unrungMs = quietLooks < QUIET_LOOKS ? pollMs : pollMs * QUIET_FACTOR;
      timer = setTimeout(
        () => {
          lookAgain();
          lookForOthers();
        },
        bell.isHeard ? BELL_LOOK_MS : unrungMs,
      ).unref();
    };
    lookAgain();
  }

  return {
    wait(topic, partition, offset, signal) {
      startLooking();
      // What was appended while the reader was busy has woken nobody.
      if (signal.aborted || endOfPartition(topic, partition) > offset) return Promise.resolve();
      return new Promise((resolve) => {
        const key = `${topic.name}/${partition}`;
        const set = waiters.get(key) ?? new Set();
        const wake = (): void => {
          set.delete(waiter);
          signal.removeEventListener('abort', wake);
          resolve();
        };
        const waiter: Waiter = { topic, partition, offset, wake };
        waiters.set(key, set.add(waiter));
        signal.addEventListener('abort', wake, { once: true });
      });
    },
    appended(positions) {
      for (const { topic, partition } of positions)
        for (const waiter of waiters.get(`${topic}/${partition}`) ?? []) waiter.wake();
      bell?.ring();
    },
    close() {
      clearTimeout(timer);
      bell?.close();
    },
  };
}
