import { deferred, until } from '@tidegate/testing';
import { describe, expect, it } from 'vitest';
import { migrated, type CreateSubject } from './subject.ts';

export function describeCoordination(create: CreateSubject): void {
  describe('tryLock', () => {
    it('grants a lock to one holder at a time, across all handles', async () => {
      await using subject = await create();
      const [one, two] = [subject.open(), subject.open()];
      const lock = await one.tryLock('relay');
      expect(lock).toBeDefined();
      expect(await one.tryLock('relay')).toBeUndefined();
      expect(await two.tryLock('relay')).toBeUndefined();
      expect(await two.tryLock('another')).toBeDefined();
      await lock?.release();
      expect(await two.tryLock('relay')).toBeDefined();
      expect(lock?.lost.aborted).toBe(false);
    });

    it('grants one of many concurrent requests', async () => {
      await using subject = await create();
      const handles = [subject.open(), subject.open(), subject.open()];
      const locks = await Promise.all([...handles, ...handles].map((handle) => handle.tryLock('relay')));
      expect(locks.filter(Boolean)).toHaveLength(1);
    });

    it('releases the lock when its holder closes, and ignores a second release', async () => {
      await using subject = await create();
      const [one, two, three] = [subject.open(), subject.open(), subject.open()];
      await one.tryLock('relay');
      await one.close();
      // Postgres notices the end of a connection with a short delay.
      const lock = await until(() => two.tryLock('relay'), { what: 'the lock is free' });
      await lock.release();
      const next = await three.tryLock('relay');
      await lock.release();
      expect(next).toBeDefined();
      expect(await two.tryLock('relay')).toBeUndefined();
    });
  });

  describe('signals', () => {
    it('wake the listeners of a channel after the commit, and never after a rollback', async () => {
      await using fixture = await migrated(create);
      const { database } = fixture;
      const woken: string[] = [];
      const first = deferred();
      await database.signals.listen('here', () => {
        woken.push('here');
        first.resolve();
      });
      await database.signals.listen('elsewhere', () => void woken.push('elsewhere'));
      await database
        .transaction(async (unit) => {
          database.signals.notify(unit, 'here');
          throw new Error('on purpose');
        })
        .catch(() => undefined);
      expect(woken).toEqual([]);
      await database.transaction(async (unit) => {
        database.signals.notify(unit, 'here');
        database.signals.notify(unit, 'here');
        await unit.tx.selectFrom('accounts').selectAll().execute();
        expect(woken).toEqual([]);
      });
      await first.promise;
      expect(woken).toEqual(['here']);
    });

    it('wake no listener that was stopped', async () => {
      await using fixture = await migrated(create);
      const { database } = fixture;
      const woken: string[] = [];
      const stop = await database.signals.listen('here', () => void woken.push('stopped'));
      await database.signals.listen('here', () => void woken.push('listening'));
      await stop();
      await database.transaction(async (unit) => database.signals.notify(unit, 'here'));
      await until(() => woken.length > 0, { what: 'the listener is woken' });
      expect(woken).toEqual(['listening']);
    });
  });

  describe('ping and close', () => {
    it('answers a ping; close waits for a running transaction, and later calls reject with UNAVAILABLE', async () => {
      await using fixture = await migrated(create);
      const { database } = fixture;
      await database.ping(2_000);
      const started = deferred();
      const finish = deferred();
      const running = database.transaction(async ({ tx }) => {
        started.resolve();
        await finish.promise;
        await tx.insertInto('accounts').values({ id: 'a', balance: 1, note: null }).execute();
        return 'committed';
      });
      await started.promise;
      const closing = database.close();
      finish.resolve();
      expect(await running).toBe('committed');
      await closing;
      await database.close();
      await expect(database.ping(2_000)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      await expect(database.transaction(async () => {})).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    });

    it('closes a handle that was never used', async () => {
      await using subject = await create();
      const database = subject.open();
      await database.close();
      await expect(database.ping(2_000)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    });
  });
}
