import type { InputOf, OperationDefinition, OutputOf } from '@tidegate/core';

export interface CallContext {
  /** Aborts when the caller no longer waits for the answer. */
  readonly signal: AbortSignal;
  /** Trace context of this call, for the calls and messages that it causes. */
  readonly traceparent?: string;
}

/** An operation and the function that answers it. */
export interface Implementation {
  readonly definition: OperationDefinition;
  /** Gets an input that has passed the definition's schema. The output is checked afterwards. */
  run(input: unknown, context: CallContext): Promise<unknown>;
}

/**
 * Binds a function to an operation. The definition gives the function its types.
 *
 * @example
 * const implementation = implement(getStock, async ({ productId }) => ({ available: await count(productId) }));
 */
export function implement<Definition extends OperationDefinition>(
  definition: Definition,
  run: (input: InputOf<Definition>, context: CallContext) => Promise<OutputOf<Definition>>,
): Implementation {
  return { definition, run: (input, context) => run(input as InputOf<Definition>, context) };
}
