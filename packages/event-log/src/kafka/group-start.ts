import { backoffMs, delay } from '@tidegate/runtime/resilience';
import type { Assignment, GroupClient } from './group-client.ts';

export interface GroupStart {
  /** The group's next offset by partition; -1 where it has acknowledged nothing. */
  acknowledged(topic: string): Promise<ReadonlyMap<number, number>>;
  /** Ends by topic and partition, read before the group was joined. */
  readonly endsAtStart: ReadonlyMap<string, readonly number[]>;
}

export const groupBackoff = { firstMs: 200, maxMs: 5_000 };

/**
 * Commits the end of each assigned partition that has no checkpoint yet: a new group's "end" must be the same end after
 * a restart. Retries until it succeeds or the signal aborts; never rejects.
 */
export async function commitEnds(
  client: GroupClient,
  start: GroupStart,
  assignment: Assignment,
  { signal, onError }: { readonly signal: AbortSignal; readonly onError: (error: unknown) => void },
): Promise<void> {
  for (let attempt = 1; !signal.aborted; attempt++) {
    try {
      return await commitOnce(client, start, assignment);
    } catch (error) {
      onError(error);
      await delay(backoffMs(attempt, groupBackoff), signal).catch(() => undefined);
    }
  }
}

async function commitOnce(client: GroupClient, start: GroupStart, assignment: Assignment): Promise<void> {
  for (const [topic, partitions] of Object.entries(assignment)) {
    const acknowledged = await start.acknowledged(topic);
    for (const partition of partitions) {
      if ((acknowledged.get(partition) ?? -1) >= 0) continue;
      const end = start.endsAtStart.get(topic)?.[partition] ?? 0;
      await client.commit(topic, partition, end);
      client.seek(topic, partition, end);
    }
  }
}
