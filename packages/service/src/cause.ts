/** The message that led here: its id and trace travel on with what follows from it. */
export interface Cause {
  readonly id: string;
  readonly traceparent?: string | undefined;
}

/** Of a message, only what its consequences have to name. */
export function causeOf({ id, traceparent }: Cause): Cause {
  return { id, traceparent };
}
