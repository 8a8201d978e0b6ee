import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Position, Tail, TailOptions } from '../event-log.ts';
import { toError } from '../handle-batch.ts';
import { positionOutOfRange } from '../topic-errors.ts';
import type { RecordStore } from './record-store.ts';
import type { StoredTopic } from './topic-store.ts';
import type { WakeUps } from './wake-ups.ts';

const limits = { maxRecords: 500, maxBytes: 4 * 1024 * 1024 };

/** Reads every partition from its start on, each at its own pace. */
export function startTail(
  { records, wakeUps }: { readonly records: RecordStore; readonly wakeUps: WakeUps },
  topics: ReadonlyMap<string, StoredTopic>,
  startedAt: readonly Position[],
  { onRecords, onEnd }: Pick<TailOptions, 'onRecords' | 'onEnd'>,
): Tail {
  const abort = new AbortController();
  const { signal } = abort;

  async function follow(topic: StoredTopic, { partition, offset: first }: Position): Promise<void> {
    let offset = first;
    while (!signal.aborted) {
      const slice = records.read(topic, partition, offset, limits);
      // Retention has overtaken a slow reader: to go on would be a gap that nobody sees.
      if (slice.ends.start > offset)
        throw positionOutOfRange({ topic: topic.name, partition, offset }, slice.ends);
      if (slice.records.length > 0) await onRecords(slice.records);
      offset = slice.nextOffset;
      if (slice.more) await nextTurn();
      else await wakeUps.wait(topic, partition, offset, signal);
    }
  }

  function fail(error: unknown): void {
    if (signal.aborted) return;
    abort.abort();
    onEnd?.(toError(error));
  }

  const done = Promise.all(
    startedAt.map((position) => follow(topics.get(position.topic) as StoredTopic, position).catch(fail)),
  );
  return {
    startedAt,
    async stop() {
      abort.abort();
      await done;
    },
  };
}
