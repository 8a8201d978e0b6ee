import { encodeErrorBody, errorCodes, type TidegateError } from '@tidegate/core';

/**
 * Answers an error as its code's HTTP status with `{"error": {"code", "message", "details"}}` as the body, and with
 * the headers that the status asks for. `headers` come on top, such as `allow` for METHOD_NOT_ALLOWED.
 */
export function errorResponse(error: TidegateError, headers: Record<string, string> = {}): Response {
  const { retryAfterMs } = error.details;
  return Response.json(encodeErrorBody(error), {
    status: errorCodes[error.code].httpStatus,
    headers: {
      ...(error.code === 'UNAUTHENTICATED' && { 'www-authenticate': 'Bearer' }),
      // The rest of the body is still on its way: the connection cannot be used again.
      ...(error.code === 'PAYLOAD_TOO_LARGE' && { connection: 'close' }),
      ...(typeof retryAfterMs === 'number' && { 'retry-after': String(Math.ceil(retryAfterMs / 1000)) }),
      ...headers,
    },
  });
}
