export { clockShiftedBy } from './shifted-clock.ts';
export { deferred, type Deferred } from './deferred.ts';
export { freePort, freePorts } from './free-port.ts';
export { override } from './override.ts';
export {
  chromiumPathFromEnv,
  kafkaBrokersFromEnv,
  kafkaLibsFromEnv,
  postgresUrlFromEnv,
  redisUrlFromEnv,
} from './real-backends.ts';
export {
  nodeBinary,
  repositoryRoot,
  startChild,
  type Child,
  type ChildExit,
  type ChildOptions,
} from './start-child.ts';
export { temporaryDirectory, type TemporaryDirectory } from './temporary-directory.ts';
export { until, type UntilOptions } from './until.ts';
