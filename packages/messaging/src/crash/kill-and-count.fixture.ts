import { sampleTopics } from '@tidegate/testing/sample-messages';
import type { Database } from '@tidegate/database';
import type { EventLog } from '@tidegate/event-log';
import { silentLogger } from '@tidegate/runtime/telemetry';
import { startChild } from '@tidegate/testing';
import { allRecords, oneTo, versionsByKey, type SampleTables } from '../conformance/subject.ts';
import { createOutbox } from '../outbox/outbox.ts';
import { startRelay } from '../relay/relay.ts';

export interface CrashCount {
  readonly committed: number;
  readonly lost: number;
  readonly repeated: number;
  /** Versions of a key that follow a newer version in the log, without duplicates. */
  readonly inverted: number;
}

/** Starts the publishing process and kills it with SIGKILL after a varying number of commits, `kills` times. */
export async function killRepeatedly(kills: number, env: Record<string, string>): Promise<void> {
  for (let kill = 0; kill < kills; kill++) {
    await using child = startChild('packages/messaging/src/crash/publishing-process.fixture.ts', env);
    await child.waitForLine(`committed ${200 + 50 * (kill % 7)}`, 30_000);
    await child.kill('SIGKILL');
  }
}

/** Publishes the remaining rows, then compares the log with the versions committed in the database. */
export async function countAfterwards(database: Database<SampleTables>, log: EventLog): Promise<CrashCount> {
  const outbox = createOutbox({ database });
  const relay = await startRelay({
    database,
    log,
    outbox,
    logger: silentLogger,
    name: 'crash',
    lockRetryMs: 10,
  });
  await relay.drained();
  await relay.stop();
  const published = versionsByKey(await allRecords(log, sampleTopics.counterEvents.name));
  const aggregates = await database.query.selectFrom('aggregates').selectAll().execute();
  const total = { committed: 0, lost: 0, repeated: 0, inverted: 0 };
  for (const { id, version } of aggregates) {
    const own = published.get(id) ?? [];
    const first = [...new Set(own)];
    total.committed += version;
    total.lost += oneTo(version).filter((each) => !first.includes(each)).length;
    total.repeated += own.length - first.length;
    total.inverted += first.filter((each, index) => each < (first[index - 1] ?? 0)).length;
  }
  return total;
}
