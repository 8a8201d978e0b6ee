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
import {
  conclude,
  endPayment,
  requestPayment,
  type Payment,
  type PaymentFact,
  type ProviderAnswer,
} from './decide.ts';
import type { PaymentsTable, PaymentsTables } from './tables.ts';

type Unit = UnitOfWork<PaymentsTables>;

/** Outcome of a claimed row's work. */
export interface Settlement {
  readonly answer: ProviderAnswer;
  /** Time of the next attempt if the work is not done, in epoch milliseconds. */
  readonly retryAt: number;
  /** Declines the payment instead of retrying when the provider failed. */
  readonly lastAttempt: boolean;
}

/** One payment per order, with the work that is left to do for it at the provider. */
export class PaymentStore {
  readonly #database: Database<PaymentsTables>;
  readonly #outbox: Outbox;
  readonly #clock: () => number;
  readonly #onWork: () => void;

  constructor(options: {
    readonly database: Database<PaymentsTables>;
    readonly outbox: Outbox;
    readonly clock: () => number;
    /** Called after each commit that may have left work to do. */
    readonly onWork: () => void;
  }) {
    this.#database = options.database;
    this.#outbox = options.outbox;
    this.#clock = options.clock;
    this.#onWork = options.onWork;
  }

  /** Stores the authorisation to make for the order. Does nothing when the order has a payment already. */
  async request(unit: Unit, order: DataOf<typeof StockReserved>, cause: Cause): Promise<void> {
    // The insert decides the race with `end`: the second transaction finds the row of the first.
    const inserted = await this.#insert(
      unit,
      order.orderId,
      requestPayment(undefined),
      order.total.amountCents,
      cause,
    );
    if (inserted) unit.afterCommit(this.#onWork);
  }

  /** Stores that the order was cancelled or rejected: a payment made or under way is to be undone. */
  async end(unit: Unit, orderId: string, cause: Cause): Promise<void> {
    if (await this.#insert(unit, orderId, endPayment(undefined), 0, cause)) return;
    const row = await this.#lock(unit, orderId);
    const next = endPayment(row);
    if (next === row) return;
    await this.#update(unit, orderId, {
      ...paymentOf(next),
      next_attempt_at: next.work ? this.#clock() : null,
      cause_id: cause.id,
      traceparent: cause.traceparent ?? row.traceparent,
    });
    if (next.work) unit.afterCommit(this.#onWork);
  }

  /**
   * Leases at most `limit` due rows until `leaseUntil` (epoch milliseconds) and returns them. Rows that another process
   * leases at the same moment are left out.
   */
  async claim(limit: number, leaseUntil: number): Promise<PaymentsTable[]> {
    const due = await this.#database.query
      .selectFrom('payments')
      .selectAll()
      .where('next_attempt_at', '<=', this.#clock())
      .orderBy('next_attempt_at')
      .limit(limit)
      .execute();
    const claimed: PaymentsTable[] = [];
    for (const row of due) {
      const attempts = row.attempts + 1;
      const result = await this.#database.query
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

  /** Stores the payment that follows from the provider's answer, and publishes its fact, if it has one. */
  async settle(claimed: PaymentsTable, { answer, retryAt, lastAttempt }: Settlement): Promise<void> {
    await this.#database.transaction(async (unit) => {
      const row = await this.#lock(unit, claimed.order_id);
      // The order ended meanwhile: `end` has replaced or removed the work.
      if (row.work !== claimed.work) return;
      const { payment, fact } = conclude(row, claimed.work!, answer, lastAttempt);
      const sequence = row.sequence + (fact ? 1 : 0);
      await this.#update(unit, row.order_id, {
        ...paymentOf(payment),
        next_attempt_at: payment.work ? retryAt : null,
        sequence,
      });
      if (fact) {
        const message = messageOf(fact, row, sequence, this.#clock());
        await this.#outbox.add(unit, topics.paymentEvents, [message]);
      }
      unit.afterCommit(this.#onWork);
    });
  }

  /** Returns the time at which the next work is due, in epoch milliseconds; undefined when there is none. */
  async nextDue(): Promise<number | undefined> {
    const row = await this.#database.query
      .selectFrom('payments')
      .select('next_attempt_at')
      .where('next_attempt_at', 'is not', null)
      .orderBy('next_attempt_at')
      .executeTakeFirst();
    return row?.next_attempt_at ?? undefined;
  }

  /** Returns false when the order has a row already. */
  async #insert(
    unit: Unit,
    orderId: string,
    payment: Payment,
    amountCents: number,
    cause: Cause,
  ): Promise<boolean> {
    const nowMs = this.#clock();
    const result = await unit.tx
      .insertInto('payments')
      .values({
        order_id: orderId,
        ...payment,
        next_attempt_at: payment.work ? nowMs : null,
        amount_cents: amountCents,
        requested_at: nowMs,
        sequence: 0,
        cause_id: cause.id,
        traceparent: cause.traceparent ?? null,
      })
      .onConflict((conflict) => conflict.column('order_id').doNothing())
      .executeTakeFirst();
    return Number(result.numInsertedOrUpdatedRows ?? 0) > 0;
  }

  #lock(unit: Unit, orderId: string): Promise<PaymentsTable> {
    return unit.tx
      .selectFrom('payments')
      .selectAll()
      .where('order_id', '=', orderId)
      .forUpdate()
      .executeTakeFirstOrThrow();
  }

  async #update(unit: Unit, orderId: string, values: Partial<PaymentsTable>): Promise<void> {
    await unit.tx.updateTable('payments').set(values).where('order_id', '=', orderId).execute();
  }
}

function paymentOf({ status, work, attempts }: Payment): Payment {
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
