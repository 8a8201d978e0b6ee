import { TidegateError } from '@tidegate/core';

/** The parts of kafkajs's private `Runner` that the guard leans on, as they are in the version it was read from. */
interface Runner {
  readonly running: boolean;
  readonly fetchManager: { stop(): Promise<void> };
  fetch: (this: Runner, nodeId: string) => Promise<unknown[]>;
}

const VERSION_READ = '2.2.4';
const guards = new WeakSet<Runner['fetch']>();

/**
 * Keeps a stopped kafkajs consumer from freezing the process.
 *
 * When the set of brokers changes, kafkajs waits for its fetchers and makes new ones, without asking whether the
 * consumer was stopped meanwhile. Nobody ends those: each asks the stopped runner for batches, gets none at once and
 * asks again, in microtasks alone, so that no timer, socket or signal of the process is served any more. The window is
 * open for as long as another broker takes to answer.
 *
 * Here a fetcher that asks a stopped runner is told to stop; then the runner ends as it does otherwise. There is no
 * public way to reach it, and kafkajs is released no more: another version than the one read is refused.
 *
 * @param load kafkajs's modules by their specifier, e.g. the result of `createRequire`.
 * @throws TidegateError INTERNAL when kafkajs is not the version that this was written for.
 */
export function endStoppedFetchersOfKafkajs(load: (specifier: string) => unknown): void {
  const { version } = load('kafkajs/package.json') as { version: string };
  if (version !== VERSION_READ) {
    throw new TidegateError('INTERNAL', `kafkajs is ${version}; its consumer was read at ${VERSION_READ}.`);
  }
  const { prototype } = load('kafkajs/src/consumer/runner') as { prototype: Runner };
  const { fetch } = prototype;
  if (guards.has(fetch)) return;
  prototype.fetch = function (nodeId) {
    // Not awaited: it resolves when this very fetcher has ended, which it does after this answer. It never rejects.
    if (!this.running) void this.fetchManager.stop();
    return fetch.call(this, nodeId);
  };
  guards.add(prototype.fetch);
}
