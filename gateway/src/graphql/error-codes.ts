import { isErrorCode, toTidegateError, TidegateError, toldToClient, type ErrorCode } from '@tidegate/core';
import type { Logger } from '@tidegate/runtime/telemetry';
import {
  GraphQLError,
  type ExecutionResult,
  type FormattedExecutionResult,
  type GraphQLFormattedError,
} from 'graphql';

/**
 * Returns the function that converts errors at the GraphQL border. Every error of a client has an `extensions.code`
 * of the error table, and none has a stack, a cause or the message of an internal fault. Hidden errors are logged.
 */
export function createErrorMask(logger: Logger): (error: unknown) => GraphQLError {
  return (error) => {
    // An error may pass two borders: its details are already those for the client.
    if (error instanceof GraphQLError && masked.has(error)) return error;
    if (!(error instanceof GraphQLError)) return describe(toTidegateError(error), undefined, logger);
    const cause = causeOf(error);
    if (cause instanceof TidegateError) return describe(cause, error, logger);
    if (cause && !(cause instanceof GraphQLError)) return describe(toTidegateError(cause), error, logger);
    const code = codeOf(error);
    if (code === 'INTERNAL') return describe(toTidegateError(error), error, logger);
    return withCode(error, error.message, code, {});
  };
}

/** Errors that a mask has made. */
const masked = new WeakSet<GraphQLError>();

/** Formats a TidegateError as a GraphQL error without a location. */
export function formatError(error: TidegateError): { message: string; extensions: Record<string, unknown> } {
  const { message, details } = toldToClient(error);
  return { message, extensions: { code: error.code, ...details } };
}

/** Returns errors as JSON. */
export function visibleErrors(errors: readonly GraphQLError[]): GraphQLFormattedError[] {
  return errors.map((error) => error.toJSON());
}

/** Returns a result with its errors as JSON. */
export function visibleResult({ errors, ...result }: ExecutionResult): FormattedExecutionResult {
  return errors ? { ...result, errors: visibleErrors(errors) } : result;
}

function describe(error: TidegateError, at: GraphQLError | undefined, logger: Logger): GraphQLError {
  if (error.code === 'INTERNAL')
    logger.error({ err: error.cause ?? error, path: at?.path }, 'an operation failed');
  const { message, details } = toldToClient(error);
  return withCode(at, message, error.code, details);
}

function withCode(
  at: GraphQLError | undefined,
  message: string,
  code: ErrorCode,
  details: Readonly<Record<string, unknown>>,
): GraphQLError {
  const error = new GraphQLError(message, {
    nodes: at?.nodes,
    source: at?.source,
    positions: at?.positions,
    path: at?.path,
    extensions: { ...details, code },
  });
  masked.add(error);
  return error;
}

function causeOf(error: GraphQLError): unknown {
  let cause: unknown = error.originalError ?? error.cause;
  while (cause instanceof GraphQLError && (cause.originalError ?? cause.cause))
    cause = cause.originalError ?? cause.cause;
  return cause;
}

/** Returns the code of an error that GraphQL itself made. */
function codeOf(error: GraphQLError): ErrorCode {
  const { code } = error.extensions;
  if (isErrorCode(code)) return code;
  if (error.message.startsWith('Syntax Error')) return 'GRAPHQL_PARSE_FAILED';
  if (/^Variable "\$.*(invalid value|was not provided|must not be null)/s.test(error.message))
    return 'BAD_USER_INPUT';
  if (error.path) return /^(Argument|Enum|Value)/.test(error.message) ? 'BAD_USER_INPUT' : 'INTERNAL';
  if (error.nodes?.length) return 'GRAPHQL_VALIDATION_FAILED';
  return 'BAD_REQUEST';
}
