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

export interface CommandOutcomes {
  find(db: Kysely<OrdersTables>, commandId: string): Promise<StoredOutcome | undefined>;
  /** Keeps the outcome and publishes it. A unique violation means that somebody else was first. */
  add(
    unit: UnitOfWork<OrdersTables>,
    command: ClientCommand,
    result: CommandResult,
    customerId: string,
    traceparent: string | undefined,
  ): Promise<void>;
}

/** The first outcome of each command id, which every repetition is given again. */
export function createCommandOutcomes(options: { outbox: Outbox; clock: () => number }): CommandOutcomes {
  const { outbox, clock } = options;
  return {
    async find(db, commandId) {
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
    },

    async add(unit, command, result, customerId, traceparent) {
      const { commandId, actor, orderId } = command.input;
      await unit.tx
        .insertInto('commands')
        .values({
          command_id: commandId,
          actor_id: actor.id,
          customer_id: customerId,
          command: command.name,
          result: JSON.stringify(result),
          created_at: clock(),
        })
        .execute();
      const outcome =
        result.status === 'accepted'
          ? { status: result.status, token: result.token }
          : { status: result.status, reason: result.reason };
      const message = createMessage(CommandOutcome, {
        id: `commands/${commandId}@1`,
        key: commandId,
        sequence: 1,
        timeMs: clock(),
        data: { commandId, customerId, command: command.name, orderId, outcome },
        causationid: commandId,
        traceparent,
      });
      await outbox.add(unit, topics.commandOutcomes, [message]);
    },
  };
}
