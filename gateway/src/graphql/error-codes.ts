import { errorCodes, isErrorCode, toTidegateError, TidegateError, type ErrorCode } from '@tidegate/core';
import type { Logger } from '@tidegate/runtime/telemetry';
import { GraphQLError } from 'graphql';

/**
 * The GraphQL border: every error a client meets has `extensions.code` from the one table, and none has a stack, a
 * cause, or the message of a fault on our side. What is hidden is logged with the code.
 */
export function createErrorMask(logger: Logger): (error: unknown) => GraphQLError {
  return (error) => {
    if (!(error instanceof GraphQLError)) return describe(toTidegateError(error), undefined, logger);
    const cause = causeOf(error);
    if (cause instanceof TidegateError) return describe(cause, error, logger);
    if (cause && !(cause instanceof GraphQLError)) return describe(toTidegateError(cause), error, logger);
    const code = codeOf(error);
    if (code === 'INTERNAL') return describe(toTidegateError(error), error, logger);
    return withCode(error, error.message, code, {});
  };
}

/** For transports of ours that hold a TidegateError: the same form, without a document to point into. */
export function formatError(error: TidegateError): { message: string; extensions: Record<string, unknown> } {
  return { message: error.message, extensions: { code: error.code, ...error.details } };
}

function describe(error: TidegateError, at: GraphQLError | undefined, logger: Logger): GraphQLError {
  if (error.code === 'INTERNAL')
    logger.error({ err: error.cause ?? error, path: at?.path }, 'an operation failed');
  return withCode(at, error.message, error.code, error.details);
}

function withCode(
  at: GraphQLError | undefined,
  message: string,
  code: ErrorCode,
  details: Readonly<Record<string, unknown>>,
): GraphQLError {
  const extensions: Record<string, unknown> = { ...details, code };
  // An error of one field leaves the status alone; one that is the whole answer decides it.
  if (!at?.path) {
    const http = at?.extensions['http'];
    // `spec` answers 200 to who accepts application/json: meant for documents, not for what is no request at all.
    const spec = code === 'BAD_REQUEST' ? false : http?.spec;
    extensions['http'] = { ...http, spec, status: http?.status ?? errorCodes[code].httpStatus };
  }
  return new GraphQLError(message, {
    nodes: at?.nodes,
    source: at?.source,
    positions: at?.positions,
    path: at?.path,
    extensions,
  });
}

function causeOf(error: GraphQLError): unknown {
  let cause: unknown = error.originalError ?? error.cause;
  while (cause instanceof GraphQLError && (cause.originalError ?? cause.cause))
    cause = cause.originalError ?? cause.cause;
  return cause;
}

/** Which code an error of GraphQL itself or of its HTTP handling has. */
function codeOf(error: GraphQLError): ErrorCode {
  const { code, http } = error.extensions as { code?: unknown; http?: { status?: number } };
  // Yoga calls these BAD_REQUEST; the status says more.
  if (http?.status === 405) return 'METHOD_NOT_ALLOWED';
  if (http?.status === 413) return 'PAYLOAD_TOO_LARGE';
  if (http?.status === 415) return 'UNSUPPORTED_MEDIA_TYPE';
  if (isErrorCode(code)) return code;
  if (error.message.startsWith('Syntax Error')) return 'GRAPHQL_PARSE_FAILED';
  if (/^Variable "\$.*(invalid value|was not provided|must not be null)/s.test(error.message))
    return 'BAD_USER_INPUT';
  if (error.path) return /^(Argument|Enum|Value)/.test(error.message) ? 'BAD_USER_INPUT' : 'INTERNAL';
  if (error.nodes?.length) return 'GRAPHQL_VALIDATION_FAILED';
  return 'BAD_REQUEST';
}
