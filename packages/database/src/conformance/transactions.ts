import { deferred } from '@tidegate/testing';
import { describe, expect, it } from 'vitest';
import { isUniqueViolation } from '../database-errors.ts';
import { balanceOf, migrated, type CreateSubject } from './subject.ts';

export function describeTransactions(create: CreateSubject): void {
  describe('transaction', () => {
    it('makes all changes visible at once, and resolves with the result of the work', async () => {
      await using fixture = await migrated(create);
      const { database } = fixture;
      const other = fixture.subject.open();
      const result = await database.transaction(async ({ tx }) => {
        await tx.insertInto('accounts').values({ id: 'a', balance: 1, note: null }).execute();
        await tx.insertInto('journal').values({ account: 'a', amount: 1 }).execute();
        return 'done';
      });
      expect(result).toBe('done');
      expect(await balanceOf(other, 'a')).toBe(1);
      expect(await other.query.selectFrom('journal').selectAll().execute()).toHaveLength(1);
    });

    it('shows no change to other readers before the commit', async () => {
      await using fixture = await migrated(create);
      const other = fixture.subject.open();
      const inserted = deferred();
      const read = deferred();
      const running = fixture.database.transaction(async ({ tx }) => {
        await tx.insertInto('accounts').values({ id: 'a', balance: 1, note: null }).execute();
        inserted.resolve();
        await read.promise;
      });
      await inserted.promise;
      expect(await balanceOf(other, 'a')).toBeUndefined();
      read.resolve();
      await running;
      expect(await balanceOf(other, 'a')).toBe(1);
    });

    it('rolls back when the work rejects, and rejects with the same error', async () => {
      await using fixture = await migrated(create);
      const failing = fixture.database.transaction(async ({ tx }) => {
        await tx.insertInto('accounts').values({ id: 'a', balance: 1, note: null }).execute();
        throw new Error('on purpose');
      });
      await expect(failing).rejects.toThrow('on purpose');
      expect(await balanceOf(fixture.database, 'a')).toBeUndefined();
    });

    it('runs afterCommit hooks in order after the commit, and never after a rollback', async () => {
      await using fixture = await migrated(create);
      const ran: string[] = [];
      await fixture.database.transaction(async ({ tx, afterCommit }) => {
        afterCommit(() => ran.push('first'));
        afterCommit(() => ran.push('second'));
        await tx.insertInto('accounts').values({ id: 'a', balance: 1, note: null }).execute();
        expect(ran).toEqual([]);
      });
      expect(ran).toEqual(['first', 'second']);
      const duplicate = fixture.database.transaction(async ({ tx, afterCommit }) => {
        afterCommit(() => ran.push('never'));
        await tx.insertInto('accounts').values({ id: 'a', balance: 2, note: null }).execute();
      });
      await expect(duplicate).rejects.toSatisfy(isUniqueViolation);
      expect(ran).toEqual(['first', 'second']);
    });

    it('stays committed and runs the other hooks when a hook throws', async () => {
      await using fixture = await migrated(create);
      const ran = deferred();
      await fixture.database.transaction(async ({ tx, afterCommit }) => {
        afterCommit(() => {
          throw new Error('a hook');
        });
        afterCommit(ran.resolve);
        await tx.insertInto('accounts').values({ id: 'a', balance: 1, note: null }).execute();
      });
      await ran.promise;
      expect(await balanceOf(fixture.database, 'a')).toBe(1);
    });

    it('loses no increment of concurrent transactions, on one handle and on two', async () => {
      await using fixture = await migrated(create);
      const handles = [fixture.database, fixture.subject.open()];
      await fixture.database.query
        .insertInto('accounts')
        .values({ id: 'a', balance: 0, note: null })
        .execute();
      await Promise.all(
        Array.from({ length: 60 }, (_, i) =>
          handles[i % 2]!.transaction(async ({ tx }) => {
            const query = tx.selectFrom('accounts').select('balance').where('id', '=', 'a').forUpdate();
            const { balance } = await query.executeTakeFirstOrThrow();
            await tx
              .updateTable('accounts')
              .set({ balance: balance + 1 })
              .where('id', '=', 'a')
              .execute();
          }),
        ),
      );
      expect(await balanceOf(fixture.database, 'a')).toBe(60);
    });

    it('is retried after a serialization failure, with the hooks of the last attempt only', async () => {
      await using fixture = await migrated(create);
      const code = fixture.database.dialect === 'postgres' ? { code: '40001' } : { errcode: 5 };
      let attempts = 0;
      const hooks: number[] = [];
      await fixture.database.transaction(async ({ tx, afterCommit }) => {
        const attempt = ++attempts;
        afterCommit(() => hooks.push(attempt));
        await tx.insertInto('accounts').values({ id: 'a', balance: attempt, note: null }).execute();
        if (attempt < 3) throw Object.assign(new Error('serialization failure'), code);
      });
      expect(await balanceOf(fixture.database, 'a')).toBe(3);
      expect(hooks).toEqual([3]);
    });

    it('is retried a bounded number of times', async () => {
      await using fixture = await migrated(create);
      const code = fixture.database.dialect === 'postgres' ? { code: '40001' } : { errcode: 5 };
      let attempts = 0;
      const losing = fixture.database.transaction(async () => {
        attempts++;
        throw Object.assign(new Error('serialization failure'), code);
      });
      await expect(losing).rejects.toThrow('serialization failure');
      expect(attempts).toBeGreaterThan(2);
      expect(attempts).toBeLessThan(20);
    });

    it('rejects another transaction and the plain query inside its work with INTERNAL', async () => {
      await using fixture = await migrated(create);
      const { database } = fixture;
      await expect(database.transaction(() => database.transaction(async () => {}))).rejects.toMatchObject({
        code: 'INTERNAL',
      });
      await expect(database.transaction(() => balanceOf(database, 'a'))).rejects.toMatchObject({
        code: 'INTERNAL',
      });
      expect(await balanceOf(database, 'a')).toBeUndefined();
    });
  });
}
