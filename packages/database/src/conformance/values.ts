import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { isUniqueViolation } from '../database-errors.ts';
import { migrated, type CreateSubject } from './subject.ts';

export function describeValues(create: CreateSubject): void {
  describe('values', () => {
    it('reads bigints, counts and sums as numbers, up to the largest safe integer', async () => {
      await using fixture = await migrated(create);
      const balance = Number.MAX_SAFE_INTEGER;
      await fixture.database.query
        .insertInto('accounts')
        .values([
          { id: 'a', balance, note: 'Zoë 🌊' },
          { id: 'b', balance: -1, note: null },
        ])
        .execute();
      const rows = await fixture.database.query.selectFrom('accounts').selectAll().orderBy('id').execute();
      expect(rows).toEqual([
        { id: 'a', balance, note: 'Zoë 🌊' },
        { id: 'b', balance: -1, note: null },
      ]);
      const totals = await fixture.database.query
        .selectFrom('accounts')
        .select((select) => [select.fn.countAll().as('rows'), select.fn.sum('balance').as('total')])
        .executeTakeFirst();
      expect(totals).toEqual({ rows: 2, total: balance - 1 });
    });

    it('rejects an integer beyond the safe integers instead of rounding it', async () => {
      await using fixture = await migrated(create);
      await sql`insert into accounts (id, balance) values ('a', 9007199254740993)`.execute(
        fixture.database.query,
      );
      await expect(fixture.database.query.selectFrom('accounts').selectAll().execute()).rejects.toThrow(
        /too large/,
      );
    });

    it('returns the number of rows that a statement changed', async () => {
      await using fixture = await migrated(create);
      const row = { balance: 1, note: null };
      const values = ['a', 'b', 'c'].map((id) => ({ id, ...row }));
      await fixture.database.query.insertInto('accounts').values(values).execute();
      const updated = await fixture.database.query
        .updateTable('accounts')
        .set({ balance: 2 })
        .where('id', 'in', ['a', 'b'])
        .executeTakeFirst();
      expect(updated.numUpdatedRows).toBe(2n);
      const ignored = await fixture.database.query
        .insertInto('accounts')
        .values({ id: 'a', ...row })
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst();
      expect(ignored.numInsertedOrUpdatedRows).toBe(0n);
      const deleted = await fixture.database.query.deleteFrom('accounts').executeTakeFirst();
      expect(deleted.numDeletedRows).toBe(3n);
    });

    it('distinguishes unique violations from other errors, and enforces foreign keys', async () => {
      await using fixture = await migrated(create);
      const insert = () =>
        fixture.database.query.insertInto('accounts').values({ id: 'a', balance: 1, note: null }).execute();
      await insert();
      await expect(insert()).rejects.toSatisfy(isUniqueViolation);
      const orphan = fixture.database.query
        .insertInto('journal')
        .values({ account: 'nobody', amount: 1 })
        .execute();
      await expect(orphan).rejects.toSatisfy((error) => !isUniqueViolation(error));
    });
  });
}
