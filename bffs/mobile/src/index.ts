import { createLoaders, guardResolvers, rights, type Loaders } from '@order-platform/bff-shared';
import { defineBff, readSchema, type Bff } from '@tidegate/bff';
import { liveFields } from './live-fields.ts';
import { mutation, offer, orderCard, orderScreen, query } from './resolvers.ts';
import { readTrustedDocuments } from './trusted-documents.ts';

/** The BFF for phones: one round trip per screen, formatted texts, trusted documents only. */
export const mobileBff: Bff<Loaders> = readMobileBff();

/** Returns the BFF with the present content of its schema and document files. A change of resolvers needs a restart. */
export function readMobileBff(): Bff<Loaders> {
  return defineBff({
    name: 'mobile',
    typeDefs: readSchema(new URL('./schema/', import.meta.url)),
    resolvers: {
      Query: guardResolvers(rights.mobile, 'Query', query),
      Mutation: guardResolvers(rights.mobile, 'Mutation', mutation),
      OrderCard: orderCard,
      Offer: offer,
      OrderScreen: orderScreen,
    },
    createLoaders,
    liveFields,
    readYourWrites: true,
    trustedDocuments: readTrustedDocuments(new URL('./documents/', import.meta.url)),
  });
}

export { documentId } from './trusted-documents.ts';
