/** A common setup for comparison: graphql-yoga, its pub-sub and graphql-ws, as in their documentation. */
import { createServer, type IncomingMessage } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { ExecutionArgs } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { createPubSub, createSchema, createYoga } from 'graphql-yoga';
import { WebSocketServer, type WebSocket } from 'ws';
import { controlServer } from './server-control.ts';
import { TickSource, type TickRequest, typeDefs, type Tick } from './workload.ts';

const pubSub = createPubSub<{ ticks: [tick: Tick] }>();
let subscriptions = 0;
const yoga = createYoga({
  logging: false,
  schema: createSchema({
    typeDefs,
    resolvers: {
      Query: { ready: () => true },
      Subscription: {
        ticks: {
          subscribe: () => {
            subscriptions += 1;
            return pubSub.subscribe('ticks');
          },
          resolve: (tick: Tick) => tick,
        },
      },
    },
  }),
});

const server = createServer(yoga);
const sockets = new WebSocketServer({ server, path: yoga.graphqlEndpoint });

interface YogaRoot {
  readonly execute: (args: ExecutionArgs) => never;
  readonly subscribe: (args: ExecutionArgs) => never;
}

// https://the-guild.dev/graphql/yoga-server/docs/features/subscriptions#graphql-over-websocket-protocol-via-graphql-ws
useServer<Record<string, unknown>, { socket: WebSocket; request: IncomingMessage }>(
  {
    execute: (args) => (args.rootValue as YogaRoot).execute(args),
    subscribe: (args) => (args.rootValue as YogaRoot).subscribe(args),
    onSubscribe: async (context, _id, params) => {
      const { schema, execute, subscribe, contextFactory, parse, validate } = yoga.getEnveloped({
        ...context,
        req: context.extra.request,
        socket: context.extra.socket,
        params,
      });
      const args = {
        schema,
        operationName: params.operationName,
        document: parse(params.query),
        variableValues: params.variables,
        contextValue: await contextFactory(),
        rootValue: { execute, subscribe },
      };
      const errors = validate(args.schema, args.document);
      return errors.length > 0 ? errors : args;
    },
  },
  sockets,
  // Disables its ping: it ends connections without a pong in 12 s, in a burst all of them, because the server is busy.
  0,
);

server.listen(0, '127.0.0.1');
await once(server, 'listening');
const source = new TickSource();
const publish = (request: TickRequest): void => {
  for (const tick of source.make(request)) pubSub.publish('ticks', tick);
};
const { port } = server.address() as AddressInfo;
controlServer({ port, subscriptions: () => subscriptions }, { publish });
