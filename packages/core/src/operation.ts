import type { z } from 'zod';

/** One request a service answers over HTTP: `POST /<kind>/<name>` with JSON in and out. */
export interface OperationDefinition<
  Input extends z.ZodType = z.ZodType,
  Output extends z.ZodType = z.ZodType,
> {
  /** Name of the service that answers it, e.g. `orders`. */
  readonly service: string;
  readonly kind: 'commands' | 'queries';
  readonly name: string;
  readonly input: Input;
  readonly output: Output;
}

export type InputOf<Definition extends OperationDefinition> = z.infer<Definition['input']>;
export type OutputOf<Definition extends OperationDefinition> = z.infer<Definition['output']>;

export function defineOperation<Input extends z.ZodType, Output extends z.ZodType>(
  definition: OperationDefinition<Input, Output>,
): OperationDefinition<Input, Output> {
  return definition;
}
