import { readFileSync } from 'node:fs';
import { createLoaders, type Loaders } from '@order-platform/bff-shared';
import { defineBff, type Bff } from '@tidegate/bff';
import type { CommandOutcomeData } from '@order-platform/bff-shared';
import { commandResultOf, resolveCommandResultType, type Accepted, type Rejected } from './command-result.ts';
import { liveFields } from './live-fields.ts';
import { mutation } from './resolvers/mutation.ts';
import { query } from './resolvers/query.ts';
import { order, orderLine, payment, product, shipment, viewer } from './resolvers/types.ts';

const resolveCommandResult = {
  __resolveType: (result: Accepted | Rejected) => resolveCommandResultType(result),
};

/** The backend for browsers: a rich graph, one query per view of the page. */
export const webBff: Bff<Loaders> = readWebBff();

/** Its schema as the file is now. Resolvers are code: they change with a restart. */
export function readWebBff(): Bff<Loaders> {
  return defineBff({
    name: 'web',
    typeDefs: readFileSync(new URL('./schema.graphql', import.meta.url), 'utf8'),
    resolvers: {
      Query: query,
      Mutation: mutation,
      Subscription: {
        commandOutcome: {
          // Never called: the hub is the source of every live field.
          subscribe: () => undefined,
          resolve: (root: { commandOutcome: CommandOutcomeData }) => commandResultOf(root.commandOutcome),
        },
      },
      Order: order,
      OrderLine: orderLine,
      Product: product,
      Payment: payment,
      Shipment: shipment,
      Viewer: viewer,
      PlaceOrderResult: resolveCommandResult,
      CancelOrderResult: resolveCommandResult,
      CommandOutcome: resolveCommandResult,
    },
    createLoaders,
    liveFields,
    readYourWrites: true,
  });
}
