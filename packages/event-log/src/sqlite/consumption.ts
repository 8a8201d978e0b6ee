import type { ConsumeOptions, Consumption } from '../event-log.ts';
import { toError } from '../handle-batch.ts';
import type { GroupStore } from './group-store.ts';
import { createMemberId, forgetMember } from './member-id.ts';
import { startPartitionWorker, type PartitionWorker, type WorkerDependencies } from './partition-worker.ts';
import type { StoredTopic } from './topic-store.ts';

export interface GroupMembership {
  /** Members of this process's log, told when one comes or goes so that none waits for its next heartbeat. */
  readonly neighbours: Set<() => void>;
  readonly heartbeatMs: number;
}

/** Joins the group and runs one worker for each partition leased to this member. */
export function startConsumption(
  dependencies: WorkerDependencies & { readonly groups: GroupStore },
  { neighbours, heartbeatMs }: GroupMembership,
  topics: readonly StoredTopic[],
  options: ConsumeOptions,
): Consumption {
  const { groups } = dependencies;
  const { group } = options;
  const member = createMemberId();
  const workers = new Map<string, PartitionWorker>();
  const handingOver = new Set<Promise<void>>();
  let stopping: Promise<void> | undefined;

  function tellNeighbours(): void {
    for (const coordinate of neighbours) if (coordinate !== coordinateAll) coordinate();
  }

  function coordinateAll(): void {
    if (stopping) return;
    try {
      for (const topic of topics) coordinate(topic);
    } catch (error) {
      options.onError?.(toError(error));
    }
  }

  function coordinate(topic: StoredTopic): void {
    const { held, surplus } = groups.coordinate(group, topic, member);
    for (let partition = 0; partition < topic.partitions; partition++) {
      const name = `${topic.name}/${partition}`;
      const worker = workers.get(name);
      if (worker && (!held.has(partition) || surplus.has(partition))) handOver(topic, partition, worker);
      if (!worker && held.has(partition) && !surplus.has(partition)) {
        workers.set(name, startPartitionWorker(dependencies, topic, partition, member, options));
      }
    }
  }

  /** The lease goes only when the handler is done, so that two members never handle one partition at a time. */
  function handOver(topic: StoredTopic, partition: number, worker: PartitionWorker): void {
    const over = worker.stop().then(() => {
      workers.delete(`${topic.name}/${partition}`);
      handingOver.delete(over);
      if (stopping) return;
      groups.release(group, topic, partition, member);
      tellNeighbours();
    });
    handingOver.add(over);
  }

  async function stop(): Promise<void> {
    clearInterval(timer);
    neighbours.delete(coordinateAll);
    await Promise.all([...workers.values()].map((worker) => worker.stop()));
    await Promise.all(handingOver);
    for (const topic of topics) groups.leave(group, topic, member);
    forgetMember(member);
    tellNeighbours();
  }

  neighbours.add(coordinateAll);
  const timer = setInterval(coordinateAll, heartbeatMs);
  timer.unref();
  coordinateAll();
  tellNeighbours();
  return { stop: () => (stopping ??= stop()) };
}
