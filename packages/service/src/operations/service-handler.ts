import { errorCodes, TidegateError, toTidegateError } from '@tidegate/core';
import { errorResponse, readJsonBody, type FetchHandler } from '@tidegate/runtime/http';
import { withSpan, type Logger } from '@tidegate/runtime/telemetry';
import type { z } from 'zod';
import type { Implementation } from './implementation.ts';

export interface ServiceHandlerOptions {
  readonly implementations: readonly Implementation[];
  readonly logger: Logger;
  /** Maximum size of a request body in bytes. Default 1 MiB. */
  readonly maxBodyBytes?: number;
}

const MIB = 1024 * 1024;

/**
 * Creates the handler that serves operations as `POST /commands/<name>` and `POST /queries/<name>`. Request and response
 * are JSON, both checked by the contract. An error is answered by `errorResponse`. An error that is no TidegateError is
 * logged with its stack and answered as INTERNAL without it; the `traceparent` header of the response leads to the log.
 *
 * @throws Error when two implementations are of the same operation.
 */
export function createServiceHandler(options: ServiceHandlerOptions): FetchHandler {
  const { implementations, logger, maxBodyBytes = MIB } = options;
  const byPath = routes(implementations);

  return (request) => {
    const { pathname } = new URL(request.url);
    const implementation = byPath.get(pathname);
    const name = implementation ? `serve ${implementation.definition.name}` : 'serve unknown operation';
    const parent = request.headers.get('traceparent') ?? undefined;
    return withSpan(name, { traceparent: parent }, async (traceparent) => {
      try {
        const output = await answer(request, implementation, traceparent, maxBodyBytes);
        return Response.json(output, { headers: { traceparent } });
      } catch (caught) {
        const error = toTidegateError(caught);
        // After the caller has disconnected, every failure is its own, and the response is not read.
        if (!request.signal.aborted) report(logger, error, { operation: pathname, traceparent });
        const allow = error.code === 'METHOD_NOT_ALLOWED' && { allow: 'POST' };
        return errorResponse(error, { traceparent, ...allow });
      }
    });
  };
}

function routes(implementations: readonly Implementation[]): Map<string, Implementation> {
  const byPath = new Map<string, Implementation>();
  for (const implementation of implementations) {
    const path = `/${implementation.definition.kind}/${implementation.definition.name}`;
    if (byPath.has(path)) throw new Error(`${path} is implemented twice`);
    byPath.set(path, implementation);
  }
  return byPath;
}

async function answer(
  request: Request,
  implementation: Implementation | undefined,
  traceparent: string,
  maxBodyBytes: number,
): Promise<unknown> {
  if (!implementation) throw new TidegateError('NOT_FOUND', 'There is no such operation here.');
  if (request.method !== 'POST') {
    throw new TidegateError('METHOD_NOT_ALLOWED', 'Operations are called by POST.');
  }
  const { definition } = implementation;
  const input = definition.input.safeParse(await readJsonBody(request, maxBodyBytes));
  if (!input.success) throw invalidInput(input.error);
  const output = await implementation.run(input.data, { signal: request.signal, traceparent });
  const checked = definition.output.safeParse(output);
  if (checked.success) return checked.data;
  throw toTidegateError(
    new Error(`the answer of ${definition.name} breaks its contract`, { cause: checked.error }),
  );
}

function invalidInput(error: z.ZodError): TidegateError {
  const fields = error.issues.slice(0, 20).map(({ path, message }) => ({ field: path.join('.'), message }));
  const first = fields.map(({ field, message }) => `${field || 'the body'}: ${message}`).join('; ');
  return new TidegateError('BAD_USER_INPUT', first, { details: { fields } });
}

/** Logs failures of the service for the operator, and mistakes of the caller at debug level only. */
function report(logger: Logger, error: TidegateError, fields: Record<string, unknown>): void {
  if (error.code === 'INTERNAL') logger.error({ ...fields, err: error }, 'an operation failed');
  else if (errorCodes[error.code].httpStatus >= 500) {
    logger.warn({ ...fields, err: error }, 'an operation could not be answered');
  } else logger.debug({ ...fields, code: error.code, reason: error.message }, 'an operation was refused');
}
