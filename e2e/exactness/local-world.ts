import { setImmediate as nextTurn } from 'node:timers/promises';
import { createSqliteEventLog } from '@tidegate/event-log/sqlite';
import { silentLogger } from '@tidegate/runtime/telemetry';
import { createItemBff, defineItemChanged, PARTITIONS } from './item-bff.ts';
import { ItemWriter } from './item-writer.ts';
import { startLocalReplica } from './local-replica.ts';
import type { Mutant } from './mutants.ts';
import { runScript } from './run-script.ts';
import type { RunStats } from './run-stats.ts';
import type { Script } from './script.ts';

const definition = defineItemChanged('items.documents');

/** Plays a script in this process: two gateways on one embedded log, clients over real connections. */
export async function runLocally(
  script: Script,
  options: { readonly completeWithinMs: number; readonly mutant?: Mutant | undefined },
): Promise<RunStats> {
  const log = createSqliteEventLog({ path: ':memory:', logger: silentLogger, pollMs: 0 });
  const { name, cleanup, retentionMs } = definition.topic;
  await log.ensureTopics([{ name, partitions: PARTITIONS, cleanup, retentionMs }]);
  const writer = new ItemWriter(log, definition);
  const pause = createPauses(script.delays);
  const bff = createItemBff(definition, async (key) => {
    await pause();
    const item = writer.committed(key);
    await pause();
    return item;
  });
  try {
    const startReplica = () => startLocalReplica({ bff, log, beforeRead: pause, mutant: options.mutant });
    return await runScript(script, { writer, startReplica, turn: () => nextTurn() }, options);
  } finally {
    await log.close();
  }
}

/** Returns a function that waits the script's delays in turn, so that they are the same each time it is played. */
function createPauses(delays: readonly number[]): () => Promise<void> {
  let next = 0;
  return async () => {
    const turns = delays[next++ % delays.length]!;
    for (let turn = 0; turn < turns; turn++) await nextTurn();
  };
}
