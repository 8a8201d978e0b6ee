import { join } from 'node:path';
import { anonymous } from '@tidegate/bff';
import { AccessRevoked } from './access-revoked.ts';
import type { EventLog } from '@tidegate/event-log';
import { createSqliteEventLog } from '@tidegate/event-log/sqlite';
import { silentLogger } from '@tidegate/runtime/telemetry';
import { override, temporaryDirectory, until } from '@tidegate/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Revocations } from './revocations.ts';
import type { VerifiedViewer } from './token-verifier.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const NOW_MS = Date.parse('2026-11-23T12:00:00Z');

const member = (issuedAtMs: number, tokenId = 'a-token'): VerifiedViewer => ({
  role: 'member',
  id: 'member-1',
  tokenId,
  issuedAtMs,
});

describe('revocations', () => {
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  let log: EventLog;
  let nowMs: number;
  const replicas: Revocations[] = [];

  beforeEach(async () => {
    nowMs = NOW_MS;
    directory = await temporaryDirectory();
    log = createSqliteEventLog({ path: join(directory.path, 'log.sqlite'), logger: silentLogger, pollMs: 5 });
  });

  afterEach(async () => {
    for (const replica of replicas.splice(0)) await replica.stop();
    await log.close();
    await directory[Symbol.asyncDispose]();
  });

  async function startReplica(options: { maxRevocations?: number } = {}): Promise<Revocations> {
    const replica = new Revocations({
      log,
      logger: silentLogger,
      maxTokenAgeMs: DAY_MS,
      clock: () => nowMs,
      ...options,
    });
    replicas.push(replica);
    await replica.start();
    return replica;
  }

  const subject = (issuedBeforeMs = NOW_MS) =>
    ({
      kind: 'subject',
      subject: 'member-1',
      issuedBefore: new Date(issuedBeforeMs).toISOString(),
    }) as const;

  it('of one token refuse that token only, on every replica', async () => {
    const [here, there] = [await startReplica(), await startReplica()];
    await here.revoke({ kind: 'token', tokenId: 'stolen' }, 'operator-1');
    await until(() => there.list.isRevoked(member(NOW_MS, 'stolen')), { what: 'the other replica' });
    for (const replica of [here, there]) {
      expect(() => replica.refuseRevoked(member(NOW_MS, 'stolen'))).toThrow('revoked');
      replica.refuseRevoked(member(NOW_MS, 'another'));
      replica.refuseRevoked(anonymous);
    }
  });

  it('of a subject refuse all tokens issued until then, and none that is issued later', async () => {
    const replica = await startReplica();
    await replica.revoke(subject(NOW_MS + 500), 'operator-1');
    expect(replica.list.isRevoked(member(NOW_MS - DAY_MS))).toBe(true);
    // A token's time of issue is in seconds: a later one within the same second is refused too.
    expect(replica.list.isRevoked(member(NOW_MS))).toBe(true);
    expect(replica.list.isRevoked(member(NOW_MS + 1_000))).toBe(false);
    expect(replica.list.isRevoked({ ...member(NOW_MS), id: 'member-2' })).toBe(false);
  });

  it('of a subject twice keep the later time', async () => {
    const replica = await startReplica();
    await replica.revoke(subject(NOW_MS), 'operator-1');
    await replica.revoke(subject(NOW_MS - DAY_MS / 2), 'operator-1');
    expect(replica.list.isRevoked(member(NOW_MS - 1_000))).toBe(true);
  });

  it('are known on a replica that starts later, before its start resolves', async () => {
    await (await startReplica()).revoke(subject(), 'operator-1');
    const later = await startReplica();
    expect(later.list.isRevoked(member(NOW_MS))).toBe(true);
  });

  it('call back for a live connection, also for one opened meanwhile, and not after unwatching', async () => {
    const replica = await startReplica();
    const told: string[] = [];
    const watch = (name: string, viewer: VerifiedViewer) =>
      replica.list.watch(viewer, () => void told.push(name));
    watch('early', member(NOW_MS));
    watch('left', member(NOW_MS))();
    watch('newer', member(NOW_MS + 2_000));
    await replica.revoke(subject(), 'operator-1');
    watch('meanwhile', member(NOW_MS));
    await until(() => told.length >= 2, { what: 'both' });
    expect(told).toEqual(['early', 'meanwhile']);
  });

  it('are deleted when every token they refuse has expired', async () => {
    const replica = await startReplica();
    await replica.revoke({ kind: 'token', tokenId: 'stolen' }, 'operator-1');
    nowMs += DAY_MS - 1;
    await replica.sweep();
    expect(replica.list.size).toBe(1);
    nowMs += 1;
    await replica.sweep();
    expect(replica.list.size).toBe(0);
    // A replica that starts now does not read it either.
    expect((await startReplica()).list.size).toBe(0);
  });

  it('are bounded: one above the maximum is refused, and none is evicted', async () => {
    const replica = await startReplica({ maxRevocations: 1 });
    await replica.revoke({ kind: 'token', tokenId: 'one' }, 'operator-1');
    await expect(replica.revoke({ kind: 'token', tokenId: 'two' }, 'operator-1')).rejects.toThrow('as many');
    expect(replica.list.isRevoked(member(NOW_MS, 'one'))).toBe(true);
  });

  it('that cannot be read make the gateway not ready', async () => {
    const unread = new Revocations({ log, logger: silentLogger });
    expect(() => unread.check()).toThrow('have not been read');
    const broken = new Revocations({
      log: override(log, { ends: () => Promise.reject(new Error('away')) }),
      logger: silentLogger,
    });
    await expect(broken.start()).rejects.toThrow('away');
    expect(() => broken.check()).toThrow('have not been read');
    (await startReplica()).check();
  });

  it('are read again after their tail has ended: the gateway is not ready meanwhile, and misses none', async () => {
    let end: (() => Promise<void>) | undefined;
    let away = false;
    const replica = new Revocations({
      log: override(log, {
        tail: async (options) => {
          if (away) throw new Error('the log is away');
          const tail = await log.tail(options);
          end = async () => {
            await tail.stop();
            options.onEnd?.(new Error('the position is out of range'));
          };
          return tail;
        },
      }),
      logger: silentLogger,
      clock: () => nowMs,
      maxTokenAgeMs: DAY_MS,
    });
    replicas.push(replica);
    await replica.start();
    away = true;
    await end!();
    const isReady = (): boolean => {
      try {
        replica.check();
        return true;
      } catch {
        return false;
      }
    };
    await until(() => !isReady(), { what: 'the end' });
    await (await startReplica()).revoke(subject(), 'operator-1');
    away = false;
    await until(isReady, { what: 'the revocations are read again' });
    expect(replica.list.isRevoked(member(NOW_MS))).toBe(true);
  });

  it('that are too many make the gateway unready only until they have expired', async () => {
    const [writer, small] = [await startReplica(), await startReplica({ maxRevocations: 1 })];
    for (const tokenId of ['one', 'two', 'three'])
      await writer.revoke({ kind: 'token', tokenId }, 'operator-1');
    await until(() => small.list.size === 3, { what: 'the revocations' });
    expect(() => small.check()).toThrow('too many');
    nowMs += DAY_MS;
    await small.sweep();
    small.check();
  });

  it('that are malformed do not block later ones', async () => {
    const replica = await startReplica();
    await log.append(AccessRevoked.topic.name, [{ key: 'x', value: Buffer.from('{'), headers: {} }]);
    await replica.revoke(subject(), 'operator-1');
    const later = await startReplica();
    expect(later.list.isRevoked(member(NOW_MS))).toBe(true);
    later.check();
  });
});
