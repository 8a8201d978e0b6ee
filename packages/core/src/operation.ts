import type { z } from 'zod';

/** An operation of a service over HTTP: `POST /<kind>/<name>` with JSON input and output. */
export interface OperationDefinition<
  Input extends z.ZodType = z.ZodType,
  Output extends z.ZodType = z.ZodType,
> {
  /** Name of the service, e.g. `counters`. */
  readonly service: string;
  /** Commands change state, queries do not. */
  readonly kind: 'commands' | 'queries';
  readonly name: string;
  readonly input: Input;
  readonly output: Output;
}

/** Input type of an operation. */
export type InputOf<Definition extends OperationDefinition> = z.infer<Definition['input']>;
/** Output type of an operation. */
export type OutputOf<Definition extends OperationDefinition> = z.infer<Definition['output']>;

/**
 * Declares an operation and infers its types.
 *
 * @example
 * const getCounter = defineOperation({
 *   service: 'counters',
 *   kind: 'queries',
 *   name: 'getCounter',
 *   input: z.object({ counterId: z.string() }),
 *   output: z.object({ count: z.int() }),
 * });
 */
export function defineOperation<Input extends z.ZodType, Output extends z.ZodType>(
  definition: OperationDefinition<Input, Output>,
): OperationDefinition<Input, Output> {
  return definition;
}
