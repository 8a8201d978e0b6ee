/** Reasons why an attempt failed, as partners read them. */
export const attemptErrors = [
  /** The receiver answered with a status other than 2xx and 3xx. */
  'HTTP_STATUS',
  /** The receiver answered 3xx. Redirects are not followed: the partner has to register the new address. */
  'REDIRECT',
  /** The receiver did not answer within the deadline. */
  'DEADLINE_EXCEEDED',
  /** The connection could not be opened, broke, or had an invalid TLS certificate. */
  'CONNECTION_FAILED',
  /** The address is, or resolves to, one that the target policy denies. */
  'TARGET_DENIED',
  /** The document could not be executed. The receiver was not called. */
  'RENDER_FAILED',
] as const;
export type AttemptError = (typeof attemptErrors)[number];

export type AttemptOutcome = { readonly result: 'delivered'; readonly httpStatus: number } | FailedAttempt;

export interface FailedAttempt {
  readonly result: 'failed';
  readonly error: AttemptError;
  readonly message: string;
  /** Undefined when there was no answer. */
  readonly httpStatus?: number;
  /** Value of the receiver's `Retry-After`, in milliseconds. */
  readonly retryAfterMs?: number | undefined;
}

/** True for 410 Gone, with which a receiver declines this delivery and all further ones. */
export function isGone(outcome: AttemptOutcome): boolean {
  return outcome.httpStatus === 410;
}
