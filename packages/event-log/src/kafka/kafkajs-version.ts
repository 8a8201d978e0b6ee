import { TidegateError } from '@tidegate/core';

const VERSION_READ = '2.2.4';

/**
 * Requires the version of kafkajs whose private parts were read. kafkajs has no public way to reach them, and no
 * further releases.
 *
 * @param load Returns a module of kafkajs by its specifier, e.g. the result of `createRequire`.
 * @throws TidegateError INTERNAL when kafkajs is another version.
 */
export function requireKnownKafkajs(load: (specifier: string) => unknown): void {
  const { version } = load('kafkajs/package.json') as { version: string };
  if (version === VERSION_READ) return;
  throw new TidegateError('INTERNAL', `kafkajs is ${version}; its consumer was read at ${VERSION_READ}.`);
}
