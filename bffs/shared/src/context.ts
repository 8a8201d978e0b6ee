import type { BffContext } from '@tidegate/bff';
import type { Loaders } from './loaders.ts';

/** Context of the resolvers in both BFFs. */
export type Context = BffContext<Loaders>;
