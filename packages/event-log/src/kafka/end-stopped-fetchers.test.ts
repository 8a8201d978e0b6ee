import { createRequire } from 'node:module';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { silentLogger } from '@tidegate/runtime/telemetry';
import { beforeEach, describe, expect, it } from 'vitest';
import { createKafkaEventLog } from '../kafka.ts';
import { endStoppedFetchersOfKafkajs } from './end-stopped-fetchers.ts';

interface Runner {
  start(): Promise<void>;
  stop(): Promise<void>;
  fetch: (nodeId: string) => Promise<unknown[]>;
}

const load = createRequire(import.meta.url);
const KafkajsRunner = load('kafkajs/src/consumer/runner') as new (options: object) => Runner;
const unguarded = KafkajsRunner.prototype.fetch;

/** Far more calls than a stop needs. Without this limit the endless loop would freeze the test and its timeout. */
const CALLS_IN_ONE_TURN = 10_000;

const quiet = { namespace: () => quiet, debug() {}, info() {}, warn() {}, error() {} };

interface Seen {
  spun: boolean;
  left: boolean;
  readonly crashes: unknown[];
}

interface RunnerOnBrokers {
  readonly runner: Runner;
  readonly seen: Seen;
  readonly answer: (nodeId: string) => void;
  readonly lose: (nodeId: string) => void;
  /** The brokers with a pending fetch. */
  readonly asked: () => string[];
}

/** kafkajs's own runner, fetch manager and fetchers, on a fake group whose brokers answer on `answer`. */
function runnerOnBrokers(...brokers: string[]): RunnerOnBrokers {
  let nodeIds = brokers;
  let calls = 0;
  const pending = new Map<string, (batches: unknown[]) => void>();
  const seen: Seen = { spun: false, left: false, crashes: [] };
  const consumerGroup = {
    groupId: 'group',
    memberId: 'member',
    connect: async () => undefined,
    joinAndSync: async () => undefined,
    heartbeat: async () => undefined,
    leave: async () => void (seen.left = true),
    getNodeIds() {
      if (calls++ === 0) setImmediate(() => (calls = 0));
      if (calls <= CALLS_IN_ONE_TURN) return nodeIds;
      seen.spun = true;
      throw new Error('The event loop is starved.');
    },
    fetch: (nodeId: string) => new Promise<unknown[]>((resolve) => pending.set(nodeId, resolve)),
  };
  const runner = new KafkajsRunner({
    logger: quiet,
    consumerGroup,
    instrumentationEmitter: { emit() {} },
    concurrency: 1,
    eachBatch: async () => undefined,
    retry: { initialRetryTime: 1, maxRetryTime: 1, retries: 2 },
    onCrash: (error: unknown) => seen.crashes.push(error),
  });
  return {
    runner,
    answer(nodeId) {
      const resolve = pending.get(nodeId);
      pending.delete(nodeId);
      resolve?.([]);
    },
    lose: (nodeId) => void (nodeIds = nodeIds.filter((one) => one !== nodeId)),
    asked: () => [...pending.keys()].toSorted(),
    seen,
  };
}

/** Stops after one fetcher has noticed the lost broker and before the broker of the other has answered. */
async function stopInTheWindow(): Promise<Seen> {
  const { runner, answer, lose, seen } = runnerOnBrokers('1', '2');
  await runner.start();
  lose('2');
  answer('1');
  await nextTurn();
  const stopped = runner.stop();
  await nextTurn();
  answer('2');
  await stopped;
  return seen;
}

describe('a kafkajs consumer', () => {
  beforeEach(() => {
    KafkajsRunner.prototype.fetch = unguarded;
  });

  it('without the guard starves the event loop when it is stopped while its brokers change (else drop the guard)', async () => {
    expect(await stopInTheWindow()).toMatchObject({ spun: true });
  });

  it('with the guard ends its fetchers and leaves its group without starving the event loop', async () => {
    endStoppedFetchersOfKafkajs(load);
    expect(await stopInTheWindow()).toEqual({ spun: false, left: true, crashes: [] });
  });

  it('with the guard goes on with the remaining brokers, as without it', async () => {
    endStoppedFetchersOfKafkajs(load);
    const { runner, answer, lose, asked, seen } = runnerOnBrokers('1', '2', '3');
    await runner.start();
    expect(asked()).toEqual(['1', '2', '3']);
    lose('2');
    for (const nodeId of ['1', '2', '3']) answer(nodeId);
    await nextTurn();
    expect(asked()).toEqual(['1', '3']);
    const stopped = runner.stop();
    for (const nodeId of ['1', '3']) answer(nodeId);
    await stopped;
    expect(seen).toEqual({ spun: false, left: true, crashes: [] });
  });

  it('is guarded from the first createKafkaEventLog on, and only once', () => {
    const options = { brokers: ['127.0.0.1:1'], clientId: 'guarded', logger: silentLogger };
    createKafkaEventLog(options);
    const { fetch } = KafkajsRunner.prototype;
    expect(fetch).not.toBe(unguarded);
    createKafkaEventLog(options);
    expect(KafkajsRunner.prototype.fetch).toBe(fetch);
  });

  it('of another version is refused, because the guard patches private code', () => {
    expect(() => endStoppedFetchersOfKafkajs(() => ({ version: '2.3.0' }))).toThrow(
      expect.objectContaining({ code: 'INTERNAL' }),
    );
  });
});
