import { requireKnownKafkajs } from './kafkajs-version.ts';

/** The members of kafkajs's private `Runner` that the guard uses. */
interface Runner {
  readonly running: boolean;
  readonly fetchManager: { stop(): Promise<void> };
  fetch: (this: Runner, nodeId: string) => Promise<unknown[]>;
}

const guards = new WeakSet<Runner['fetch']>();

/**
 * Guards kafkajs's consumer against an endless loop that freezes the process.
 *
 * When the set of brokers changes, kafkajs waits for its fetchers and creates new ones. It does not check whether the
 * consumer was stopped in the meantime. Such fetchers are never ended: each asks the stopped runner for batches, gets
 * none at once and asks again. They loop in microtasks, so no timer, socket or signal of the process is served any more.
 * The race is open for as long as another broker takes to answer.
 *
 * The guard stops a fetcher that asks a stopped runner; then the runner ends as usual.
 *
 * @param load Returns a module of kafkajs by its specifier, e.g. the result of `createRequire`.
 * @throws TidegateError INTERNAL when kafkajs is not the version that the guard was written for.
 */
export function endStoppedFetchersOfKafkajs(load: (specifier: string) => unknown): void {
  requireKnownKafkajs(load);
  const { prototype } = load('kafkajs/src/consumer/runner') as { prototype: Runner };
  const { fetch } = prototype;
  if (guards.has(fetch)) return;
  prototype.fetch = function (nodeId) {
    // Not awaited: it resolves when this fetcher has ended, which it does after this answer. It never rejects.
    if (!this.running) void this.fetchManager.stop();
    return fetch.call(this, nodeId);
  };
  guards.add(prototype.fetch);
}
