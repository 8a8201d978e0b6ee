import { createMessage, type DataOf, type Envelope } from '@tidegate/core';
import {
  PaymentAuthorized,
  PaymentDeclined,
  PaymentRefunded,
  topics,
  type StockReserved,
} from '@order-platform/contracts';
import type { Database, UnitOfWork } from '@tidegate/database';
import type { Outbox } from '@tidegate/messaging';
import type { Cause } from '@tidegate/service';
import { conclude, endPayment, requestPayment, type PaymentFact, type ProviderAnswer } from './decide.ts';
import type { PaymentsTable, PaymentsTables } from './tables.ts';

type Unit = UnitOfWork<PaymentsTables>;

export interface PaymentStore {
  request(unit: Unit, order: DataOf<typeof StockReserved>, cause: Cause): Promise<void>;
  end(unit: Unit, orderId: string, cause: Cause): Promise<void>;
  /** Marks due work as being done until `leaseUntil`; what another process took meanwhile is left out. */
  claim(limit: number, leaseUntil: number): Promise<PaymentsTable[]>;
  /** Stores what follows from the answer to the claimed work, and publishes it. */
  settle(claimed: PaymentsTable, answer: ProviderAnswer, retryAt: number, givingUp: boolean): Promise<void>;
  /** When the next work is due, if there is any. */
  nextDue(): Promise<number | undefined>;
}

export function createPaymentStore(options: {
  database: Database<PaymentsTables>;
  outbox: Outbox;
  clock: () => number;
  /** Called after a commit that left work to do. */
  onWork: () => void;
}): PaymentStore {
  const { database, outbox, clock, onWork } = options;

  async function request(unit: Unit, order: DataOf<typeof StockReserved>, cause: Cause): Promise<void> {
    // The insert decides a race with the order's end: whoever comes second sees the first one's row.
    if ((await insert(unit, order.orderId, requestPayment(undefined), order.total.amountCents, cause)) > 0) {
      unit.afterCommit(onWork);
    }
  }

  async function end(unit: Unit, orderId: string, cause: Cause): Promise<void> {
    if ((await insert(unit, orderId, endPayment(undefined), 0, cause)) > 0) return;
    const row = await lock(unit, orderId);
    const next = endPayment(row);
    if (next === row) return;
    await update(unit, orderId, {
      ...pick(next),
      next_attempt_at: next.work ? clock() : null,
      cause_id: cause.id,
      traceparent: cause.traceparent ?? row.traceparent,
    });
    if (next.work) unit.afterCommit(onWork);
  }

  async function insert(
    unit: Unit,
    orderId: string,
    payment: Pick<PaymentsTable, 'status' | 'work' | 'attempts'>,
    amountCents: number,
    cause: Cause,
  ): Promise<number> {
    const result = await unit.tx
      .insertInto('payments')
      .values({
        order_id: orderId,
        ...pick(payment),
        next_attempt_at: payment.work ? clock() : null,
        amount_cents: amountCents,
        requested_at: clock(),
        sequence: 0,
        cause_id: cause.id,
        traceparent: cause.traceparent ?? null,
      })
      .onConflict((conflict) => conflict.column('order_id').doNothing())
      .executeTakeFirst();
    return Number(result.numInsertedOrUpdatedRows ?? 0);
  }

  async function claim(limit: number, leaseUntil: number): Promise<PaymentsTable[]> {
    const due = await database.query
      .selectFrom('payments')
      .selectAll()
      .where('next_attempt_at', '<=', clock())
      .orderBy('next_attempt_at')
      .limit(limit)
      .execute();
    const claimed: PaymentsTable[] = [];
    for (const row of due) {
      const attempts = row.attempts + 1;
      const result = await database.query
        .updateTable('payments')
        .set({ attempts, next_attempt_at: leaseUntil })
        .where('order_id', '=', row.order_id)
        .where('work', '=', row.work)
        .where('attempts', '=', row.attempts)
        .executeTakeFirst();
      if (Number(result.numUpdatedRows) === 1) claimed.push({ ...row, attempts });
    }
    return claimed;
  }

  async function settle(
    claimed: PaymentsTable,
    answer: ProviderAnswer,
    retryAt: number,
    givingUp: boolean,
  ): Promise<void> {
    await database.transaction(async (unit) => {
      const row = await lock(unit, claimed.order_id);
      const { payment, fact } = conclude(row, claimed.work!, answer, givingUp);
      // Somebody changed their mind meanwhile, and left other work or none.
      if (row.work !== claimed.work) return;
      const sequence = row.sequence + (fact ? 1 : 0);
      await update(unit, row.order_id, {
        ...pick(payment),
        next_attempt_at: payment.work ? retryAt : null,
        sequence,
      });
      if (fact) await outbox.add(unit, topics.paymentEvents, [messageOf(fact, row, sequence, clock())]);
      unit.afterCommit(onWork);
    });
  }

  async function nextDue(): Promise<number | undefined> {
    const row = await database.query
      .selectFrom('payments')
      .select('next_attempt_at')
      .where('next_attempt_at', 'is not', null)
      .orderBy('next_attempt_at')
      .executeTakeFirst();
    return row?.next_attempt_at ?? undefined;
  }

  function lock(unit: Unit, orderId: string): Promise<PaymentsTable> {
    return unit.tx
      .selectFrom('payments')
      .selectAll()
      .where('order_id', '=', orderId)
      .forUpdate()
      .executeTakeFirstOrThrow();
  }

  async function update(unit: Unit, orderId: string, values: Partial<PaymentsTable>): Promise<void> {
    await unit.tx.updateTable('payments').set(values).where('order_id', '=', orderId).execute();
  }

  return { request, end, claim, settle, nextDue };
}

function pick({ status, work, attempts }: Pick<PaymentsTable, 'status' | 'work' | 'attempts'>) {
  return { status, work, attempts };
}

function messageOf(fact: PaymentFact, row: PaymentsTable, sequence: number, timeMs: number): Envelope {
  const orderId = row.order_id;
  const attributes = {
    id: `payments/${orderId}@${sequence}`,
    key: orderId,
    sequence,
    timeMs,
    causationid: row.cause_id,
    traceparent: row.traceparent ?? undefined,
  };
  if (fact.name === 'PaymentDeclined') {
    return createMessage(PaymentDeclined, { ...attributes, data: { orderId, reason: fact.reason } });
  }
  const amount = { amountCents: row.amount_cents, currency: 'EUR' as const };
  const definition = fact.name === 'PaymentAuthorized' ? PaymentAuthorized : PaymentRefunded;
  return createMessage(definition, {
    ...attributes,
    data: { orderId, amount, providerReference: fact.reference },
  });
}
