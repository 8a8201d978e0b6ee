import { errorCodes, isErrorCode, type ErrorCode } from './codes.ts';

/**
 * The one error class. `message` is for the caller and never holds a secret or a stack; `cause` is for the log.
 */
export class TidegateError extends Error {
  readonly code: ErrorCode;
  /** Plain JSON that helps the caller out: the field, the limit, the time to wait (`retryAfterMs`). */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(
    code: ErrorCode,
    message: string,
    options: { cause?: unknown; details?: Record<string, unknown> } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'TidegateError';
    this.code = code;
    this.details = options.details ?? {};
  }

  get retryable(): boolean {
    return errorCodes[this.code].retryable;
  }
}

/** The border's catch-all: a TidegateError stays as it is, anything else becomes INTERNAL with its cause kept. */
export function toTidegateError(error: unknown): TidegateError {
  if (error instanceof TidegateError) return error;
  return new TidegateError('INTERNAL', 'Something went wrong on our side.', { cause: error });
}

/** The JSON form in which an error crosses an HTTP border. */
export interface ErrorBody {
  error: { code: ErrorCode; message: string; details?: Record<string, unknown> };
}

export function encodeErrorBody(error: TidegateError): ErrorBody {
  const body: ErrorBody = { error: { code: error.code, message: error.message } };
  if (Object.keys(error.details).length > 0) body.error.details = { ...error.details };
  return body;
}

/** The inverse of `encodeErrorBody`; undefined when the body is not one. */
export function decodeErrorBody(body: unknown): TidegateError | undefined {
  const inner = (body as Partial<ErrorBody> | null)?.error;
  if (!inner || !isErrorCode(inner.code) || typeof inner.message !== 'string') return undefined;
  return new TidegateError(inner.code, inner.message, { details: inner.details ?? {} });
}
