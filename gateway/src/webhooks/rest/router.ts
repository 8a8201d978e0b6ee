import { requireRole } from '@tidegate/bff';
import { TidegateError, toTidegateError } from '@tidegate/core';
import { errorResponse, readJsonBody } from '@tidegate/runtime/http';
import type { Logger } from '@tidegate/runtime/telemetry';
import { GraphQLError } from 'graphql';
import { z } from 'zod';
import type { RequestRates } from '../../admission/request-rates.ts';
import type { TokenVerifier } from '../../auth/token-verifier.ts';
import type { Route } from './route.ts';

const MAX_BODY_BYTES = 64 * 1024;

export interface RouterOptions {
  readonly routes: readonly Route[];
  readonly verifier: TokenVerifier;
  /** Charges each request to its viewer. Undefined: none is charged. */
  readonly rates?: RequestRates | undefined;
  readonly logger: Logger;
  /** Masks the GraphQL errors of an invalid document for the client. */
  readonly describeGraphqlError: (error: unknown) => readonly GraphQLError[];
}

/** Creates the handler of the routes, each for the roles it names. It answers errors and never rejects. */
export function createRouter(options: RouterOptions): (request: Request) => Promise<Response> {
  const routes = options.routes.map((route) => ({ route, pattern: patternOf(route.path) }));

  /** @param headers collects headers that belong to the response even when it is an error. */
  async function answer(request: Request, headers: Record<string, string>): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    const matching = routes.filter(({ pattern }) => pattern.test(pathname));
    if (matching.length === 0) throw new TidegateError('NOT_FOUND', `There is nothing at ${pathname}.`);
    const found = matching.find(({ route }) => route.method === request.method);
    if (!found) {
      const allowed = matching.map(({ route }) => route.method).join(', ');
      throw new TidegateError('METHOD_NOT_ALLOWED', `This address takes ${allowed}.`, {
        details: { allowed },
      });
    }
    const { route, pattern } = found;
    const viewer = await options.verifier.verify(request.headers.get('authorization'));
    requireRole(viewer, ...route.roles);
    const charge = await options.rates?.charge(viewer, undefined);
    Object.assign(headers, charge?.headers);
    if (charge?.refusal) throw charge.refusal;
    const result = await route.run({
      viewer,
      id: pattern.exec(pathname)?.groups?.['id'] ?? '',
      query: route.query && parse(route.query, Object.fromEntries(searchParams), 'query string'),
      body: route.body && parse(route.body, await readJsonBody(request, MAX_BODY_BYTES), 'body'),
    });
    if (route.status === 204) return new Response(null, { status: 204, headers });
    return Response.json(result, {
      status: route.status,
      headers: { ...headers, 'cache-control': 'no-store' },
    });
  }

  return async (request) => {
    const headers: Record<string, string> = {};
    try {
      return await answer(request, headers);
    } catch (thrown) {
      const error = translate(thrown, options);
      if (error.code === 'INTERNAL')
        options.logger.error({ err: error.cause ?? error }, 'a webhook request failed');
      const { allowed } = error.details;
      return errorResponse(error, typeof allowed === 'string' ? { ...headers, allow: allowed } : headers);
    }
  };
}

function parse(schema: z.ZodType, value: unknown, part: string): unknown {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const fields = result.error.issues.map(({ path, message }) => ({ field: path.join('.'), message }));
  throw new TidegateError('BAD_USER_INPUT', `The ${part} is not valid: ${z.prettifyError(result.error)}`, {
    details: { fields },
  });
}

/** Translates the errors of an invalid document: the first gives the code, all are listed in the details. */
function translate(thrown: unknown, { describeGraphqlError }: RouterOptions): TidegateError {
  const first: unknown = thrown instanceof AggregateError ? thrown.errors[0] : thrown;
  if (!(first instanceof GraphQLError)) return toTidegateError(thrown);
  const errors = describeGraphqlError(thrown);
  const code = errors[0]!.extensions['code'] as TidegateError['code'];
  const described = errors.map(({ message, locations }) => ({ message, ...(locations && { locations }) }));
  return new TidegateError(code, errors[0]!.message, {
    details: { field: code === 'BAD_USER_INPUT' ? 'variables' : 'document', errors: described },
  });
}

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replace('{id}', '(?<id>[A-Za-z0-9_-]{1,64})')}$`);
}
