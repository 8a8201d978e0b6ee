import { createLoaders, guardResolvers, rights, type Loaders } from '@order-platform/bff-shared';
import { defineBff, readSchema, type Bff } from '@tidegate/bff';
import type { CommandOutcomeData } from '@order-platform/bff-shared';
import { commandResultOf, resolveCommandResultType, type Accepted, type Rejected } from './command-result.ts';
import { liveFields } from './live-fields.ts';
import { mutation } from './resolvers/mutation.ts';
import { query } from './resolvers/query.ts';
import { order, orderLine, payment, product, shipment, viewer } from './resolvers/types.ts';

const resolveCommandResult = {
  __resolveType: (result: Accepted | Rejected) => resolveCommandResultType(result),
};

/** The BFF for browsers: a rich graph, one query per view of the page. */
export const webBff: Bff<Loaders> = readWebBff();

/** Returns the BFF with the present content of its schema files. A change of resolvers needs a restart. */
export function readWebBff(): Bff<Loaders> {
  return defineBff({
    name: 'web',
    typeDefs: readSchema(new URL('./schema/', import.meta.url)),
    resolvers: {
      Query: guardResolvers(rights.web, 'Query', query),
      Mutation: guardResolvers(rights.web, 'Mutation', mutation),
      Subscription: {
        commandOutcome: {
          // GraphQL requires it, but nothing calls it: live fields read from the hub.
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
