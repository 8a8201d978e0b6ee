import { CLIENT_LEFT } from '../departed-client.ts';
import { Operation } from './operation.ts';

/**
 * The operations of one WebSocket. graphql-ws tracks operations by their id until their last `await`, so an id that is
 * used again would share the fate of the operation before. Each operation therefore has a key of its own inside
 * graphql-ws. See docs/adr/0007.
 */
export class Operations {
  /** By the key, until graphql-ws has finished with it. A second index by the client's id is not worth its memory. */
  readonly #known = new Map<string, Operation>();
  /** Queries and mutations that execute, ended ones included: these still use memory and services. */
  #executing: Set<Operation> | undefined;
  #keys = 0;

  /** Number of operations that use resources: live ones, and ended ones that still execute. */
  get size(): number {
    let size = 0;
    for (const operation of this.#known.values()) if (!operation.ended) size += 1;
    for (const operation of this.#executing ?? []) if (operation.ended) size += 1;
    return size;
  }

  /** Live operations. */
  [Symbol.iterator](): IterableIterator<Operation> {
    return this.#known.values().filter(({ ended }) => !ended);
  }

  /** Begins an operation; undefined when a live one has this id. */
  begin(id: string): Operation | undefined {
    if (this.find(id)) return undefined;
    const operation = new Operation(id, String((this.#keys += 1)));
    this.#known.set(operation.key, operation);
    return operation;
  }

  /** Returns the live operation of the client's id. */
  find(id: string): Operation | undefined {
    for (const operation of this) if (operation.id === id) return operation;
    return undefined;
  }

  /** Returns the operation of a key, live or ended; undefined once `forget` was called. */
  ofKey(key: string): Operation | undefined {
    return this.#known.get(key);
  }

  /** Ends an operation that graphql-ws has finished with. */
  forget(operation: Operation): void {
    operation.end();
    this.#known.delete(operation.key);
  }

  /**
   * Executes a query or mutation unless its operation has ended. The signal aborts when the operation ends first.
   *
   * @returns an empty result, which nobody receives, when the operation had ended.
   */
  async execute<Result extends object>(
    operation: Operation,
    run: (signal: AbortSignal) => Promise<Result>,
  ): Promise<Result | { data: null }> {
    if (operation.ended) return { data: null };
    const controller = new AbortController();
    operation.onEnd(() => controller.abort(CLIENT_LEFT));
    const executing = (this.#executing ??= new Set());
    executing.add(operation);
    operation.executing = true;
    try {
      return await run(controller.signal);
    } finally {
      executing.delete(operation);
      operation.executing = false;
      operation.releaseBytes?.();
    }
  }

  /** Ends all operations, whatever their state. */
  endAll(): void {
    for (const operation of [...this]) operation.end();
  }
}
