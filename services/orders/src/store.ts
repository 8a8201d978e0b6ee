import { createMessage, type Envelope, type MessageDefinition } from '@tidegate/core';
import { orderEvents, topics } from '@order-platform/contracts';
import type { UnitOfWork } from '@tidegate/database';
import { appendEvents, readEvents } from '@tidegate/event-store';
import type { Outbox } from '@tidegate/messaging';
import type { Cause } from '@tidegate/service';
import { evolve, unknownOrder, type OrderEvent, type OrderState } from './evolve.ts';
import type { OrdersTables } from './tables.ts';

export interface LoadedOrder {
  readonly state: OrderState;
  /** Number of events in the stream: the expected version of the next append. */
  readonly version: number;
}

const definitionByType = new Map<string, MessageDefinition>(orderEvents.map((each) => [each.type, each]));
const definitionByName = new Map<string, MessageDefinition>(orderEvents.map((each) => [each.name, each]));

/** Orders in the event store. The state is the fold of the stream's events; a stream has at most four. */
export class OrderStore {
  readonly #outbox: Outbox;
  readonly #clock: () => number;

  constructor(options: { readonly outbox: Outbox; readonly clock: () => number }) {
    this.#outbox = options.outbox;
    this.#clock = options.clock;
  }

  async load(unit: UnitOfWork<OrdersTables>, orderId: string): Promise<LoadedOrder> {
    const envelopes = await readEvents(unit.tx, streamOf(orderId));
    return { state: envelopes.map(toEvent).reduce(evolve, unknownOrder), version: envelopes.length };
  }

  /**
   * Appends events to the stream and to the outbox, and returns the new version.
   *
   * @throws TidegateError CONFLICT when the stream is no longer at `expectedVersion`.
   */
  async append(
    unit: UnitOfWork<OrdersTables>,
    orderId: string,
    expectedVersion: number,
    events: readonly OrderEvent[],
    cause: Cause,
  ): Promise<number> {
    const envelopes = events.map((event, index) =>
      toEnvelope(event, orderId, expectedVersion + index + 1, cause, this.#clock()),
    );
    await appendEvents(unit, { stream: streamOf(orderId), expectedVersion, events: envelopes });
    await this.#outbox.add(unit, topics.orderEvents, envelopes);
    return expectedVersion + events.length;
  }
}

function streamOf(orderId: string): string {
  return `orders/${orderId}`;
}

/** Events were parsed before they were stored, so reading only maps the type back to the name. */
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
