import { encodeConsistencyToken, TidegateError } from '@tidegate/core';
import { type CommandResult } from '@order-platform/contracts';
import { isUniqueViolation, type Database, type UnitOfWork } from '@tidegate/database';
import { retry } from '@tidegate/runtime/resilience';
import type { Cause } from '@tidegate/service';
import type { CommandOutcomes, StoredOutcome } from './command-outcomes.ts';
import { decide, react, type ClientCommand, type Reaction } from './decide.ts';
import type { OrderState } from './evolve.ts';
import type { ProductPrices } from './product-prices.ts';
import type { OrderStore } from './store.ts';
import type { OrdersTables } from './tables.ts';

/** Load, decide, append. A client's command and its outcome are stored in the same transaction. */
export class CommandHandler {
  readonly #database: Database<OrdersTables>;
  readonly #orders: OrderStore;
  readonly #outcomes: CommandOutcomes;
  readonly #prices: ProductPrices;

  constructor(options: {
    readonly database: Database<OrdersTables>;
    readonly orders: OrderStore;
    readonly outcomes: CommandOutcomes;
    readonly prices: ProductPrices;
  }) {
    this.#database = options.database;
    this.#orders = options.orders;
    this.#outcomes = options.outcomes;
    this.#prices = options.prices;
  }

  /**
   * Handles the command in a transaction of its own. After an optimistic-lock conflict it loads and decides again,
   * at most 5 times.
   *
   * @throws TidegateError CONFLICT when the last attempt conflicts too.
   */
  execute(command: ClientCommand, traceparent?: string): Promise<CommandResult> {
    return retry(() => this.#database.transaction((unit) => this.handle(unit, command, traceparent)), {
      attempts: 5,
      firstMs: 5,
      maxMs: 50,
      retryable: isOptimisticLockConflict,
    });
  }

  /** Handles the command in the caller's transaction. A repeated command id returns its first outcome. */
  async handle(
    unit: UnitOfWork<OrdersTables>,
    command: ClientCommand,
    traceparent?: string,
  ): Promise<CommandResult> {
    const { commandId, orderId } = command.input;
    const known = await this.#outcomes.find(unit.tx, commandId);
    if (known) return resultOfRepeat(known, command);
    const { state, version } = await this.#orders.load(unit, orderId);
    const decision = decide(command, state, await this.#pricesFor(unit, command));
    let result: CommandResult;
    if (decision.status === 'accepted') {
      const cause = { id: commandId, traceparent };
      const newVersion = await this.#orders.append(unit, orderId, version, decision.events, cause);
      const token = encodeConsistencyToken([{ kind: 'order', key: orderId, version: newVersion }]);
      result = { status: 'accepted', commandId, orderId, version: newVersion, token };
    } else {
      result = { status: 'rejected', commandId, reason: decision.reason };
    }
    await this.#outcomes.add(unit, command, result, customerOf(command, state), traceparent);
    return result;
  }

  #pricesFor(
    unit: UnitOfWork<OrdersTables>,
    command: ClientCommand,
  ): Promise<ReadonlyMap<string, number>> | undefined {
    if (command.name !== 'place-order') return undefined;
    return this.#prices.of(
      unit.tx,
      command.input.lines.map(({ productId }) => productId),
    );
  }

  /** Applies another service's report about an order, in the caller's transaction. */
  async react(
    unit: UnitOfWork<OrdersTables>,
    orderId: string,
    reaction: Reaction,
    cause: Cause,
  ): Promise<void> {
    const { state, version } = await this.#orders.load(unit, orderId);
    const events = react(reaction, state);
    if (events.length > 0) await this.#orders.append(unit, orderId, version, events, cause);
  }
}

/** Clients choose command ids: another actor or another command with a used id must not see the first outcome. */
function resultOfRepeat(known: StoredOutcome, command: ClientCommand): CommandResult {
  const { commandId, actor } = command.input;
  if (known.actorId === actor.id && known.command === command.name) return known.result;
  const reason = { code: 'COMMAND_ID_TAKEN', message: 'This command id was used for another command.' };
  return { status: 'rejected', commandId, reason };
}

/** Customer with access to the outcome: the actor, or the order's customer when an operator acts. */
function customerOf(command: ClientCommand, state: OrderState): string {
  const { actor } = command.input;
  if (actor.role === 'customer') return actor.id;
  if (command.name === 'place-order') return command.input.customerId;
  return state.phase === 'unknown' ? actor.id : state.customerId;
}

function isOptimisticLockConflict(error: unknown): boolean {
  return isUniqueViolation(error) || (error instanceof TidegateError && error.code === 'CONFLICT');
}
