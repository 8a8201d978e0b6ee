/** One row of the table of error codes. */
export interface ErrorCodeEntry {
  /** HTTP status of a response that consists of this error. */
  readonly httpStatus: number;
  /**
   * WebSocket close code of a connection that this error ends. 44xx: the client must change its request first. 45xx: the
   * client reconnects.
   */
  readonly closeCode: number;
  /** True when the same request may succeed later without a change. */
  readonly retryable: boolean;
  /** One sentence for the caller, the same as in `docs/errors.md`. */
  readonly meaning: string;
}

/**
 * The closed table of error codes. GraphQL `extensions.code`, HTTP status and WebSocket close code are all derived from
 * it. A test compares it with `docs/errors.md`.
 */
export const errorCodes = {
  BAD_REQUEST: entry(400, 4400, false, 'The request is not well-formed; the message names what is wrong.'),
  GRAPHQL_PARSE_FAILED: entry(400, 4400, false, 'The GraphQL document does not parse.'),
  GRAPHQL_VALIDATION_FAILED: entry(400, 4400, false, 'The GraphQL document does not fit the schema.'),
  BAD_USER_INPUT: entry(400, 4400, false, 'An argument or variable has a value that is not allowed.'),
  DOCUMENT_NOT_TRUSTED: entry(400, 4400, false, 'This BFF executes only documents registered at build time.'),
  OPERATION_TOO_COMPLEX: entry(400, 4400, false, 'The operation is deeper or larger than this BFF allows.'),
  PERSISTED_QUERY_NOT_FOUND: entry(
    400,
    4400,
    false,
    'The hash names no document known here; send it again with the document.',
  ),
  PERSISTED_QUERY_NOT_SUPPORTED: entry(
    400,
    4400,
    false,
    'This BFF does not store persisted queries; send the document itself.',
  ),
  RESPONSE_TOO_LARGE: entry(
    400,
    4400,
    false,
    'The operation was executed, and its result is larger than this BFF sends.',
  ),
  UNAUTHENTICATED: entry(401, 4401, false, 'The request needs a valid bearer token and has none.'),
  TOKEN_EXPIRED: entry(401, 4401, false, 'The bearer token was valid and has expired; renew it.'),
  FORBIDDEN: entry(403, 4403, false, 'The viewer may not do or see this.'),
  NOT_FOUND: entry(404, 4404, false, 'There is no such thing, or the viewer may not know of it.'),
  METHOD_NOT_ALLOWED: entry(405, 4405, false, 'The address exists and does not take this method.'),
  NOT_ACCEPTABLE: entry(406, 4406, false, 'The `Accept` header names no type that this can be answered in.'),
  CONFLICT: entry(409, 4409, true, 'Somebody else changed the same thing first; load it again and retry.'),
  PAYLOAD_TOO_LARGE: entry(413, 4413, false, 'The body or message is larger than the configured limit.'),
  UNSUPPORTED_MEDIA_TYPE: entry(415, 4415, false, 'The content type is not one this address reads.'),
  RATE_LIMITED: entry(429, 4429, true, 'Too many requests; come back after the time named in the error.'),
  TOO_MANY_CONNECTIONS: entry(429, 4429, true, 'The viewer or address holds as many connections as allowed.'),
  TOO_MANY_SUBSCRIPTIONS: entry(
    429,
    4429,
    true,
    'The connection or viewer holds as many subscriptions as allowed.',
  ),
  CURSOR_INVALID: entry(400, 4400, false, 'The cursor is malformed or was not issued by this system.'),
  CURSOR_FOREIGN: entry(
    403,
    4403,
    false,
    'The cursor was issued for another viewer or another subscription.',
  ),
  CURSOR_EXPIRED: entry(
    410,
    4410,
    false,
    'The cursor is older than what the log still holds; start from a snapshot.',
  ),
  VERSION_GAP: entry(
    410,
    4410,
    false,
    'A change is missing before the next one, and the field has no snapshot to go on from.',
  ),
  STALE_READ: entry(503, 4503, true, 'A strict read could not be answered at the demanded version in time.'),
  SLOW_CONSUMER: entry(503, 4508, true, 'The client read too slowly; come back with the last cursor.'),
  DRAINING: entry(503, 4509, true, 'The server is shutting down; come back with the last cursor.'),
  UNAVAILABLE: entry(503, 4503, true, 'Something this needs cannot be reached at the moment.'),
  DEADLINE_EXCEEDED: entry(504, 4504, true, 'The answer did not come within the deadline.'),
  CONFIG_INVALID: entry(500, 4500, false, 'A configuration variable is missing or malformed.'),
  RECORD_MALFORMED: entry(
    500,
    4500,
    false,
    'A record on a topic is not a well-formed envelope of a known type.',
  ),
  LOG_POSITION_OUT_OF_RANGE: entry(
    410,
    4410,
    false,
    'The log no longer holds, or never held, the asked position.',
  ),
  INTERNAL: entry(500, 4500, true, 'A fault on our side. The log has it under the trace id of the answer.'),
} as const satisfies Record<string, ErrorCodeEntry>;

/** A code of the table. */
export type ErrorCode = keyof typeof errorCodes;

function entry(httpStatus: number, closeCode: number, retryable: boolean, meaning: string): ErrorCodeEntry {
  return { httpStatus, closeCode, retryable, meaning };
}

/** Returns true for a code of the table. */
export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(errorCodes, value);
}
