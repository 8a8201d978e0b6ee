import { z } from 'zod';
import type { Route } from './route.ts';
import { errorBody } from './schemas.ts';

type Json = Record<string, unknown>;

/** Describes the routes in OpenAPI 3.1, from the schemas that requests are parsed with. */
export function createOpenApi(routes: readonly Route[]): Json {
  const components: Json = { Error: jsonSchema(errorBody, 'output') };
  const paths: Record<string, Json> = {};
  for (const route of routes) {
    const item = (paths[route.path] ??= {});
    item[route.method.toLowerCase()] = operation(route, components);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Tidegate webhooks',
      version: '1.0.0',
      description:
        'A webhook is a GraphQL subscription with an address. Messages are CloudEvents 1.0 in structured mode, ' +
        'signed as Standard Webhooks has it, delivered at least once and in order per key.',
    },
    security: [{ bearer: [] }],
    paths,
    components: {
      schemas: components,
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
    },
  };
}

function operation(route: Route, components: Json): Json {
  const { body, query, answer } = route;
  const parameters = [
    ...(route.path.includes('{id}')
      ? [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }]
      : []),
    ...(query ? queryParameters(query) : []),
  ];
  return {
    operationId: route.operationId,
    summary: route.summary,
    description: `For ${route.roles.map((role) => `${role}s`).join(' and ')}.`,
    ...(parameters.length > 0 && { parameters }),
    ...(body && { requestBody: { required: true, content: content(body, 'input', components) } }),
    responses: {
      [route.status]: {
        description: route.summary,
        ...(answer && { content: content(answer, 'output', components) }),
      },
      default: {
        description: 'An error.',
        content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
      },
    },
  };
}

function content(schema: z.ZodType, io: 'input' | 'output', components: Json): Json {
  const name = schema.meta()?.title;
  if (name === undefined) throw new Error('a body of the REST interface has no name');
  components[name] ??= jsonSchema(schema, io);
  return { 'application/json': { schema: { $ref: `#/components/schemas/${name}` } } };
}

function queryParameters(query: z.ZodObject): Json[] {
  const { properties = {} } = jsonSchema(query, 'input') as { properties?: Record<string, Json> };
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: 'query',
    required: false,
    ...(description !== undefined && { description }),
    schema,
  }));
}

function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io });
  return rest;
}
