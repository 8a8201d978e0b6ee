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

export interface GroupCommit {
  append(topic: StoredTopic, records: readonly OutgoingRecord[]): Promise<Position[]>;
  /** Writes what is pending now. */
  flush(): void;
}

/**
 * Appends made in the same turn of the event loop share one transaction, so a burst pays for one commit. Nothing
 * queues beyond a turn: the commit is synchronous, so the producers wait rather than the memory grow.
 */
export function createGroupCommit(
  file: SqlFile,
  records: RecordStore,
  onCommitted: (positions: readonly Position[]) => void,
): GroupCommit {
  let pending: PendingAppend[] = [];

  function flush(): void {
    if (pending.length === 0) return;
    const batch = pending;
    pending = [];
    try {
      const nowMs = Date.now();
      const positions = file.write(() => batch.map((one) => records.insert(one.topic, one.records, nowMs)));
      batch.forEach((one, i) => one.resolve(positions[i] as Position[]));
      onCommitted(positions.flat());
    } catch (error) {
      for (const one of batch) one.reject(error);
    }
  }

  return {
    append: (topic, outgoing) =>
      new Promise((resolve, reject) => {
        if (pending.length === 0) setImmediate(flush);
        pending.push({ topic, records: outgoing, resolve, reject });
      }),
    flush,
  };
}
