import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { EventLog } from '@tidegate/event-log';
import { delay } from '@tidegate/runtime/resilience';
import { startChild, type Child } from '@tidegate/testing';
import { defineItemChanged, PARTITIONS } from './item-bff.ts';
import { ItemWriter } from './item-writer.ts';
import { openLog, type LogPlace } from './log-place.ts';
import { replicaLimits, type Replica } from './replica.ts';
import type { ReplicaProcessOptions } from './replica-process.ts';
import { ForeignProducer } from './brokers/kafka.ts';
import type { TroubledBrokers } from './brokers/troubled-brokers.ts';
import { runScript, type RunOptions } from './run-script.ts';
import type { RunStats } from './run-stats.ts';
import type { Script } from './script.ts';

/** Processes started in advance: without them a run would mostly wait for processes to start. */
const SPARE_PROCESSES = 2;
/** A replica that starts while one broker is frozen and another one restarts waits for several answers in turn. */
const READY_WITHIN_MS = 60_000;

/** A broker that was away lets a producer repeat more than the small history of a replica holds. */
const limits = { ...replicaLimits, fillRecords: 400 };

/** Replicas as processes, with one log and topic for any number of consecutive runs. */
export class ProcessWorld implements AsyncDisposable {
  readonly #log: EventLog;
  readonly #writer: ItemWriter;
  readonly #state: Server;
  readonly #options: ReplicaProcessOptions;
  readonly #children = new Set<Child>();
  readonly #idle: Child[] = [];
  readonly #foreign: ForeignProducer | undefined;
  readonly #brokers: TroubledBrokers | undefined;

  private constructor(parts: {
    readonly log: EventLog;
    readonly writer: ItemWriter;
    readonly state: Server;
    readonly options: ReplicaProcessOptions;
    readonly foreign: ForeignProducer | undefined;
    readonly brokers: TroubledBrokers | undefined;
  }) {
    this.#log = parts.log;
    this.#writer = parts.writer;
    this.#state = parts.state;
    this.#options = parts.options;
    this.#foreign = parts.foreign;
    this.#brokers = parts.brokers;
  }

  /** @param brokers the brokers of the place, when scripts may trouble them. They outlive the world. */
  static async open(place: LogPlace, brokers?: TroubledBrokers): Promise<ProcessWorld> {
    const definition = defineItemChanged(`items-${randomUUID()}`);
    const { name, cleanup, retentionMs } = definition.topic;
    const log = openLog(place);
    await log.ensureTopics([{ name, partitions: PARTITIONS, cleanup, retentionMs }]);
    const foreign =
      'brokers' in place
        ? new ForeignProducer({ brokers: place.brokers, topic: name, partitions: PARTITIONS })
        : undefined;
    const writer = new ItemWriter(log, definition, foreign);
    const state = await serveItems(writer);
    const { port } = state.address() as AddressInfo;
    const options = { place, topic: name, stateUrl: `http://127.0.0.1:${port}`, ...(brokers && { limits }) };
    return new ProcessWorld({ log, writer, state, options, foreign, brokers });
  }

  run(script: Script, options: RunOptions): Promise<RunStats> {
    const turn = (): Promise<void> => delay(1);
    return runScript(
      script,
      {
        writer: this.#writer,
        startReplica: () => this.#acquireReplica(),
        turn,
        trouble: (trouble) => this.#brokers?.begin(trouble) ?? false,
      },
      options,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#children].map((child) => child.kill('SIGKILL')));
    this.#state.closeAllConnections();
    this.#state.close();
    await this.#foreign?.close();
    await this.#log.close();
  }

  async #acquireReplica(): Promise<Replica> {
    const child = this.#idle.shift() ?? this.#spawn();
    while (this.#idle.length < SPARE_PROCESSES) this.#idle.push(this.#spawn());
    const url = (await child.waitForLine(/^ready /, READY_WITHIN_MS)).slice('ready '.length);
    const end = async (signal: NodeJS.Signals): Promise<void> => {
      await child.kill(signal);
      this.#children.delete(child);
    };
    const release = (): Promise<void> => {
      this.#idle.unshift(child);
      return Promise.resolve();
    };
    return {
      url,
      kill: () => end('SIGKILL'),
      stop: () => end('SIGTERM'),
      release,
      lag: () => undefined,
      clog: () => undefined,
    };
  }

  #spawn(): Child {
    const args = [JSON.stringify(this.#options)];
    const child = startChild('e2e/exactness/replica-process.ts', {}, { args });
    this.#children.add(child);
    return child;
  }
}

/** Serves the committed items that snapshots read. */
async function serveItems(writer: ItemWriter): Promise<Server> {
  const server = createServer((request, response) => {
    const item = writer.committed((request.url ?? '').slice(1));
    response
      .writeHead(item ? 200 : 404, { 'content-type': 'application/json' })
      .end(JSON.stringify(item ?? null));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}
