/** The message that caused others. They carry its id and its trace. */
export interface Cause {
  readonly id: string;
  readonly traceparent?: string | undefined;
}

/** Returns the fields of a message that the messages it causes carry. */
export function causeOf({ id, traceparent }: Cause): Cause {
  return { id, traceparent };
}
