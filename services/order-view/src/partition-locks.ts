import type { UnitOfWork } from '@tidegate/database';
import type { OrderViewTables } from './tables.ts';

type Unit = UnitOfWork<OrderViewTables>;

/**
 * One lock per partition number, which a transaction takes before any row. An order's four streams lie on different
 * topics, in partitions of the same number, and are consumed concurrently: without this lock, two batches that name the
 * same orders in a different order would deadlock.
 */
export class PartitionLocks {
  readonly #held = new WeakMap<Unit, Set<number>>();

  /** Takes the lock until the transaction ends. Does nothing when the transaction holds it already. */
  async take(unit: Unit, partition: number): Promise<void> {
    const held = this.#held.get(unit) ?? new Set();
    if (held.has(partition)) return;
    await unit.tx
      .insertInto('partition_guards')
      .values({ partition })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    await unit.tx
      .selectFrom('partition_guards')
      .select('partition')
      .where('partition', '=', partition)
      .forUpdate()
      .execute();
    this.#held.set(unit, held.add(partition));
  }
}
