import type { InputOf, OperationDefinition, OutputOf } from '@tidegate/core';

export interface CallContext {
  /** Aborts when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
  /** To hand on to whatever this causes: the span of this very call. */
  readonly traceparent?: string;
}

/** An operation together with what answers it. */
export interface Implementation {
  readonly definition: OperationDefinition;
  /** The input has been checked by the definition's schema; the output is checked after. */
  run(input: unknown, context: CallContext): Promise<unknown>;
}

/** Binds a function to an operation of the contracts; the definition gives it its types. */
export function implement<Definition extends OperationDefinition>(
  definition: Definition,
  run: (input: InputOf<Definition>, context: CallContext) => Promise<OutputOf<Definition>>,
): Implementation {
  return { definition, run: (input, context) => run(input as InputOf<Definition>, context) };
}
