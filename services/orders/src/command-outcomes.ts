import { CommandOutcome, topics, type CommandResult } from '@order-platform/contracts';
import { createMessage } from '@tidegate/core';
import type { UnitOfWork } from '@tidegate/database';
import type { Outbox } from '@tidegate/messaging';
import type { Kysely } from 'kysely';
import type { ClientCommand } from './decide.ts';
import type { OrdersTables } from './tables.ts';

export interface StoredOutcome {
  readonly actorId: string;
  readonly customerId: string;
  readonly command: string;
  readonly result: CommandResult;
}

/** The first outcome of each command id. It makes commands idempotent: every repeat gets the same answer. */
export class CommandOutcomes {
  readonly #outbox: Outbox;
  readonly #clock: () => number;

  constructor(options: { readonly outbox: Outbox; readonly clock: () => number }) {
    this.#outbox = options.outbox;
    this.#clock = options.clock;
  }

  async find(db: Kysely<OrdersTables>, commandId: string): Promise<StoredOutcome | undefined> {
    const row = await db
      .selectFrom('commands')
      .selectAll()
      .where('command_id', '=', commandId)
      .executeTakeFirst();
    return (
      row && {
        actorId: row.actor_id,
        customerId: row.customer_id,
        command: row.command,
        result: JSON.parse(row.result) as CommandResult,
      }
    );
  }

  /** Stores the outcome and publishes it. A unique violation means that a concurrent repeat was stored first. */
  async add(
    unit: UnitOfWork<OrdersTables>,
    command: ClientCommand,
    result: CommandResult,
    customerId: string,
    traceparent: string | undefined,
  ): Promise<void> {
    const { commandId, actor } = command.input;
    const nowMs = this.#clock();
    await unit.tx
      .insertInto('commands')
      .values({
        command_id: commandId,
        actor_id: actor.id,
        customer_id: customerId,
        command: command.name,
        result: JSON.stringify(result),
        created_at: nowMs,
      })
      .execute();
    const message = createMessage(CommandOutcome, {
      id: `commands/${commandId}@1`,
      key: commandId,
      sequence: 1,
      timeMs: nowMs,
      data: outcomeData(command, result, customerId),
      causationid: commandId,
      traceparent,
    });
    await this.#outbox.add(unit, topics.commandOutcomes, [message]);
  }
}

function outcomeData(command: ClientCommand, result: CommandResult, customerId: string) {
  const { commandId, orderId } = command.input;
  const outcome =
    result.status === 'accepted'
      ? { status: result.status, token: result.token }
      : { status: result.status, reason: result.reason };
  return { commandId, customerId, command: command.name, orderId, outcome };
}
