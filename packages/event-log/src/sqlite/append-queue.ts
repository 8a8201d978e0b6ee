import type { OutgoingRecord, Position } from '../event-log.ts';
import type { RecordStore } from './record-store.ts';
import type { SqlFile } from './sql-file.ts';
import type { StoredTopic } from './topic-store.ts';

interface PendingAppend {
  readonly topic: StoredTopic;
  readonly records: readonly OutgoingRecord[];
  readonly resolve: (positions: Position[]) => void;
  readonly reject: (error: unknown) => void;
}

export interface AppendQueueDependencies {
  readonly file: SqlFile;
  readonly records: RecordStore;
  readonly onCommitted: (positions: readonly Position[]) => void;
}

/**
 * Group commit: the appends of one turn of the event loop share one transaction, so a burst pays for one commit.
 * The queue is bounded by the turn: a commit is synchronous, so producers wait for it.
 */
export class AppendQueue {
  readonly #dependencies: AppendQueueDependencies;
  #pending: PendingAppend[] = [];

  constructor(dependencies: AppendQueueDependencies) {
    this.#dependencies = dependencies;
  }

  append(topic: StoredTopic, records: readonly OutgoingRecord[]): Promise<Position[]> {
    return new Promise((resolve, reject) => {
      if (this.#pending.length === 0) setImmediate(() => this.flush());
      this.#pending.push({ topic, records, resolve, reject });
    });
  }

  /** Commits the pending appends now. */
  flush(): void {
    if (this.#pending.length === 0) return;
    const { file, records, onCommitted } = this.#dependencies;
    const batch = this.#pending;
    this.#pending = [];
    try {
      const nowMs = Date.now();
      const positions = file.write(() => batch.map((one) => records.insert(one.topic, one.records, nowMs)));
      batch.forEach((one, i) => one.resolve(positions[i] as Position[]));
      onCommitted(positions.flat());
    } catch (error) {
      for (const one of batch) one.reject(error);
    }
  }
}
