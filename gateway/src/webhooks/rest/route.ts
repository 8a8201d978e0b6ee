import type { z } from 'zod';
import type { VerifiedViewer } from '../../auth/token-verifier.ts';

/** One operation of the REST interface. Router and OpenAPI description are both derived from it. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Path template as in OpenAPI, e.g. `/webhooks/endpoints/{id}`. */
  readonly path: string;
  readonly operationId: string;
  readonly summary: string;
  /** Roles that may call it. */
  readonly roles: readonly ('partner' | 'operator')[];
  readonly body?: z.ZodType;
  readonly query?: z.ZodObject;
  readonly status: 200 | 201 | 202 | 204;
  readonly answer?: z.ZodType;
  readonly run: (call: RouteCall) => Promise<unknown>;
}

/** A request, parsed with the route's schemas. */
export interface RouteCall {
  readonly viewer: VerifiedViewer;
  /** Parameter `id` of the path; empty when the path has none. */
  readonly id: string;
  readonly body: unknown;
  readonly query: unknown;
}

interface TypedRoute<
  Body extends z.ZodType,
  Query extends z.ZodObject,
  Answer extends z.ZodType,
> extends Omit<Route, 'body' | 'query' | 'answer' | 'run'> {
  readonly body?: Body;
  readonly query?: Query;
  readonly answer?: Answer;
  readonly run: (call: {
    readonly viewer: VerifiedViewer;
    readonly id: string;
    readonly body: z.infer<Body>;
    readonly query: z.infer<Query>;
  }) => Promise<z.infer<Answer> | void>;
}

/** Checks `run` against the route's schemas and erases their types, so that the router treats all routes alike. */
export function defineRoute<Body extends z.ZodType, Query extends z.ZodObject, Answer extends z.ZodType>(
  route: TypedRoute<Body, Query, Answer>,
): Route {
  return route as unknown as Route;
}
