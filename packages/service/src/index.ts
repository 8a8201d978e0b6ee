export { causeOf, type Cause } from './cause.ts';
export { startDueLoop, type DueLoop } from './due-loop.ts';
export {
  createService,
  type Service,
  type ServiceDependencies,
  type ServiceOptions,
  type Stoppable,
} from './service.ts';
