import { randomUUID } from 'node:crypto';
import type { EventLog } from '@tidegate/event-log';
import { createKafkaEventLog } from '@tidegate/event-log/kafka';
import { silentLogger } from '@tidegate/runtime/telemetry';
import { until } from '@tidegate/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { Revocations } from './revocations.ts';
import type { VerifiedViewer } from './token-verifier.ts';

const brokers = process.env['KAFKA_BROKERS']?.split(',');

describe.skipIf(!brokers)('revocations with a real Kafka (KAFKA_BROKERS)', () => {
  const stops: (() => Promise<void>)[] = [];

  afterEach(async () => {
    for (const stop of stops.splice(0).toReversed()) await stop();
  });

  /** Starts a replica with a Kafka client of its own, like another process. */
  async function startReplica(): Promise<Revocations> {
    const log: EventLog = createKafkaEventLog({
      brokers: brokers!,
      clientId: 'revocations',
      logger: silentLogger,
    });
    stops.push(() => log.close());
    const replica = new Revocations({ log, logger: silentLogger });
    stops.push(() => replica.stop());
    await replica.start();
    return replica;
  }

  it('are known on every running replica, and on a later one before its start resolves', async () => {
    const [here, there] = [await startReplica(), await startReplica()];
    // Unique: all tests that revoke share the topic.
    const tokenId = randomUUID();
    const stolen: VerifiedViewer = { role: 'member', id: 'member-1', tokenId, issuedAtMs: Date.now() };
    await here.revoke({ kind: 'token', tokenId }, 'operator-1');
    expect(here.list.isRevoked(stolen)).toBe(true);
    await until(() => there.list.isRevoked(stolen), { what: 'the other replica' });
    const later = await startReplica();
    expect(later.list.isRevoked(stolen)).toBe(true);
    later.refuseRevoked({ ...stolen, tokenId: randomUUID() });
  });
});
