import { createMessage, type Envelope, type MessageDefinition } from '@tidegate/core';
import { orderEvents, topics } from '@order-platform/contracts';
import type { UnitOfWork } from '@tidegate/database';
import { appendEvents, readEvents } from '@tidegate/event-store';
import type { Outbox } from '@tidegate/messaging';
import type { Cause } from '@tidegate/service';
import { evolve, unknownOrder, type OrderEvent, type OrderState } from './order.ts';
import type { OrdersTables } from './tables.ts';

export interface LoadedOrder {
  readonly state: OrderState;
  /** Number of events so far: what an append expects. */
  readonly version: number;
}

export interface OrderRepository {
  load(unit: UnitOfWork<OrdersTables>, orderId: string): Promise<LoadedOrder>;
  /**
   * Appends to the stream and to the outbox; resolves to the new version.
   *
   * @throws TidegateError CONFLICT when somebody else appended since the order was loaded.
   */
  append(
    unit: UnitOfWork<OrdersTables>,
    orderId: string,
    expectedVersion: number,
    events: readonly OrderEvent[],
    cause: Cause,
  ): Promise<number>;
}

const definitionByType = new Map<string, MessageDefinition>(orderEvents.map((each) => [each.type, each]));
const definitionByName = new Map<string, MessageDefinition>(orderEvents.map((each) => [each.name, each]));

/** Orders in the event store: state is the fold of a stream's events, there are never more than five. */
export function createOrderRepository(options: { outbox: Outbox; clock: () => number }): OrderRepository {
  const { outbox, clock } = options;

  async function load(unit: UnitOfWork<OrdersTables>, orderId: string): Promise<LoadedOrder> {
    const envelopes = await readEvents(unit.tx, streamOf(orderId));
    return { state: envelopes.map(toEvent).reduce(evolve, unknownOrder), version: envelopes.length };
  }

  async function append(
    unit: UnitOfWork<OrdersTables>,
    orderId: string,
    expectedVersion: number,
    events: readonly OrderEvent[],
    cause: Cause,
  ): Promise<number> {
    const envelopes = events.map((event, index) =>
      toEnvelope(event, orderId, expectedVersion + index + 1, cause, clock()),
    );
    await appendEvents(unit, { stream: streamOf(orderId), expectedVersion, events: envelopes });
    await outbox.add(unit, topics.orderEvents, envelopes);
    return expectedVersion + events.length;
  }

  return { load, append };
}

function streamOf(orderId: string): string {
  return `orders/${orderId}`;
}

/** The store holds what was checked when it was written: only the name has to be found again. */
function toEvent(envelope: Envelope): OrderEvent {
  const definition = definitionByType.get(envelope.type);
  if (!definition) throw new Error(`the store holds an event of the unknown type ${envelope.type}`);
  return { name: definition.name, data: envelope.data } as OrderEvent;
}

function toEnvelope(
  event: OrderEvent,
  orderId: string,
  version: number,
  cause: Cause,
  timeMs: number,
): Envelope {
  return createMessage(definitionByName.get(event.name)!, {
    id: `${streamOf(orderId)}@${version}`,
    key: orderId,
    sequence: version,
    timeMs,
    data: event.data,
    causationid: cause.id,
    traceparent: cause.traceparent,
  });
}
