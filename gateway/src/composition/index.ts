export { createComposition, type Composition, type CompositionOptions } from './composition.ts';
