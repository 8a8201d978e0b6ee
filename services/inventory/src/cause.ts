/** The message that led here: its id and trace travel on with what follows from it. */
export interface Cause {
  readonly id: string;
  readonly traceparent?: string | undefined;
}
