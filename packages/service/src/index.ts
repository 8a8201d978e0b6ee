export { CallerKeys } from './callers/caller-keys.ts';
export { serviceSecrets } from './callers/service-secrets.ts';
export { causeOf, type Cause } from './cause.ts';
export {
  createService,
  type Service,
  type ServiceDependencies,
  type ServiceOptions,
  type Stoppable,
} from './service.ts';
