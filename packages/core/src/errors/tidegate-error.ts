import { errorCodes, isErrorCode, type ErrorCode } from './codes.ts';

/** The error class of all errors that a caller can meet. `message` is public; `cause` is for the log only. */
export class TidegateError extends Error {
  readonly code: ErrorCode;
  /** JSON for the caller, for example the invalid field, the exceeded limit, or `retryAfterMs`. */
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

  /** True when the same request may succeed later, as the table of codes says. */
  get retryable(): boolean {
    return errorCodes[this.code].retryable;
  }
}

/** Returns a TidegateError unchanged. Converts any other error to INTERNAL and keeps it as the cause. */
export function toTidegateError(error: unknown): TidegateError {
  if (error instanceof TidegateError) return error;
  return new TidegateError('INTERNAL', 'Something went wrong on our side.', { cause: error });
}

/** JSON body of an HTTP error response. */
export interface ErrorBody {
  error: { code: ErrorCode; message: string; details?: Record<string, unknown> };
}

/** Codes whose messages speak to operators: of variables, topics, offsets and files. */
const forOperators: ReadonlySet<ErrorCode> = new Set([
  'CONFIG_INVALID',
  'RECORD_MALFORMED',
  'LOG_POSITION_OUT_OF_RANGE',
]);

/**
 * Returns the message and the details of an error as a client may see them. An error for operators is told by the
 * sentence of its code alone.
 */
export function toldToClient(error: TidegateError): {
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
} {
  if (forOperators.has(error.code)) return { message: errorCodes[error.code].meaning, details: {} };
  return { message: error.message, details: error.details };
}

/** Encodes code, message and details as a client may see them; cause and stack are omitted. */
export function encodeErrorBody(error: TidegateError): ErrorBody {
  const { message, details } = toldToClient(error);
  const body: ErrorBody = { error: { code: error.code, message } };
  if (Object.keys(details).length > 0) body.error.details = { ...details };
  return body;
}

/** Decodes the body of an HTTP error response. Returns undefined when it is not one. */
export function decodeErrorBody(body: unknown): TidegateError | undefined {
  const inner = (body as Partial<ErrorBody> | null)?.error;
  if (!inner || !isErrorCode(inner.code) || typeof inner.message !== 'string') return undefined;
  return new TidegateError(inner.code, inner.message, { details: inner.details ?? {} });
}
