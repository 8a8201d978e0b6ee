import { describe, expect, it } from 'vitest';
import { balanceOf, sampleMigrations, type CreateSubject } from './subject.ts';

export function describeMigrations(create: CreateSubject): void {
  describe('migrate', () => {
    it('is idempotent and keeps existing rows', async () => {
      await using subject = await create();
      const database = subject.open();
      await database.migrate(sampleMigrations);
      await database.query.insertInto('accounts').values({ id: 'a', balance: 1, note: null }).execute();
      await database.migrate(sampleMigrations);
      expect(await balanceOf(database, 'a')).toBe(1);
    });

    it('applies each migration once, ordered by name, when several processes start at once', async () => {
      await using subject = await create();
      const ran: string[] = [];
      const watched = Object.fromEntries(
        Object.entries(sampleMigrations)
          .toReversed()
          .map(([name, migration]) => [
            name,
            {
              up: async (...args: Parameters<typeof migration.up>) => {
                ran.push(name);
                await migration.up(...args);
              },
            },
          ]),
      );
      await Promise.all(
        [subject.open(), subject.open(), subject.open()].map((each) => each.migrate(watched)),
      );
      expect(ran).toEqual(['0001-accounts', '0002-journal']);
    });

    it('applies no migration of a set that fails', async () => {
      await using subject = await create();
      const database = subject.open();
      const broken = {
        ...sampleMigrations,
        '0003-broken': { up: () => Promise.reject(new Error('on purpose')) },
      };
      await expect(database.migrate(broken)).rejects.toThrow('on purpose');
      await expect(balanceOf(database, 'a')).rejects.toThrow(/accounts/);
      await database.migrate(sampleMigrations);
      expect(await balanceOf(database, 'a')).toBeUndefined();
    });
  });
}
