import { encodeConsistencyToken, TidegateError } from '@tidegate/core';
import { type CommandResult } from '@order-platform/contracts';
import { isUniqueViolation, type Database, type UnitOfWork } from '@tidegate/database';
import { retry } from '@tidegate/runtime/resilience';
import type { Cause } from '@tidegate/service';
import type { CommandOutcomes, StoredOutcome } from './command-outcomes.ts';
import { decide, react, type ClientCommand, type Reaction } from './decide.ts';
import type { OrderState } from './order.ts';
import type { OrderRepository } from './order-repository.ts';
import type { OrdersTables } from './tables.ts';

export interface CommandHandler {
  /** In a transaction of its own; a lost race is loaded and decided again a few times, then CONFLICT. */
  execute(command: ClientCommand, traceparent?: string): Promise<CommandResult>;
  /** In the caller's transaction. */
  handle(
    unit: UnitOfWork<OrdersTables>,
    command: ClientCommand,
    traceparent?: string,
  ): Promise<CommandResult>;
  /** In the caller's transaction: what another service reported about an order. */
  report(unit: UnitOfWork<OrdersTables>, orderId: string, reaction: Reaction, cause: Cause): Promise<void>;
}

/** Load, decide, append; the outcome of a client's command is kept in the same transaction. */
export function createCommandHandler(options: {
  database: Database<OrdersTables>;
  orders: OrderRepository;
  outcomes: CommandOutcomes;
}): CommandHandler {
  const { database, orders, outcomes } = options;

  function execute(command: ClientCommand, traceparent?: string): Promise<CommandResult> {
    return retry(() => database.transaction((unit) => handle(unit, command, traceparent)), {
      attempts: 5,
      firstMs: 5,
      maxMs: 50,
      retryable: isLostRace,
    });
  }

  async function handle(
    unit: UnitOfWork<OrdersTables>,
    command: ClientCommand,
    traceparent?: string,
  ): Promise<CommandResult> {
    const { commandId, orderId } = command.input;
    const known = await outcomes.find(unit.tx, commandId);
    if (known) return repeated(known, command);
    const { state, version } = await orders.load(unit, orderId);
    const decision = decide(command, state);
    let result: CommandResult;
    if (decision.status === 'accepted') {
      const cause = { id: commandId, traceparent };
      const newVersion = await orders.append(unit, orderId, version, decision.events, cause);
      const token = encodeConsistencyToken([{ kind: 'order', key: orderId, version: newVersion }]);
      result = { status: 'accepted', commandId, orderId, version: newVersion, token };
    } else {
      result = { status: 'rejected', commandId, reason: decision.reason };
    }
    await outcomes.add(unit, command, result, concerned(command, state), traceparent);
    return result;
  }

  async function report(
    unit: UnitOfWork<OrdersTables>,
    orderId: string,
    reaction: Reaction,
    cause: Cause,
  ): Promise<void> {
    const { state, version } = await orders.load(unit, orderId);
    const events = react(reaction, state);
    if (events.length > 0) await orders.append(unit, orderId, version, events, cause);
  }

  return { execute, handle, report };
}

/** The id is the client's choice: whoever reuses it for something else must not be shown the first outcome. */
function repeated(known: StoredOutcome, command: ClientCommand): CommandResult {
  const { commandId, actor } = command.input;
  if (known.actorId === actor.id && known.command === command.name) return known.result;
  const reason = { code: 'COMMAND_ID_TAKEN', message: 'This command id was used for another command.' };
  return { status: 'rejected', commandId, reason };
}

/** A customer is told of their own commands; an operator's command concerns the order's customer. */
function concerned(command: ClientCommand, state: OrderState): string {
  const { actor } = command.input;
  if (actor.role === 'customer') return actor.id;
  if (command.name === 'place-order') return command.input.customerId;
  return state.phase === 'unknown' ? actor.id : state.customerId;
}

function isLostRace(error: unknown): boolean {
  return isUniqueViolation(error) || (error instanceof TidegateError && error.code === 'CONFLICT');
}
