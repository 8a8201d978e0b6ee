import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { EventLog } from '@tidegate/event-log';
import { startChild, type Child } from '@tidegate/testing';
import { defineItemChanged, PARTITIONS } from './item-bff.ts';
import { ItemWriter } from './item-writer.ts';
import { openLog, type LogPlace } from './log-place.ts';
import type { Replica } from './replica.ts';
import type { ReplicaProcessOptions } from './replica-process.ts';
import { runScript, type RunStats } from './run-script.ts';
import type { Script } from './script.ts';

/** Processes that are ready before they are wanted: most of a run would be waiting for them to start. */
const SPARE_PROCESSES = 2;

/**
 * Runs with replicas that are processes, on one log that lasts for all runs; each run has its own keys' versions and
 * so its own topic.
 */
export class ProcessWorld implements AsyncDisposable {
  readonly #place: LogPlace;
  readonly #log: EventLog;

  constructor(place: LogPlace) {
    this.#place = place;
    this.#log = openLog(place, 'none');
  }

  async run(script: Script, options: { readonly levelMs: number }): Promise<RunStats> {
    const definition = defineItemChanged(`items-${randomUUID()}`);
    const { name, cleanup, retentionMs } = definition.topic;
    await this.#log.ensureTopics([{ name, partitions: PARTITIONS, cleanup, retentionMs }]);
    const writer = new ItemWriter(this.#log, definition);
    const state = await serveItems(writer);
    const { port } = state.address() as AddressInfo;
    const processes = new ProcessPool({
      place: this.#place,
      topic: name,
      stateUrl: `http://127.0.0.1:${port}`,
    });
    try {
      return await runScript(script, { writer, startReplica: () => processes.take() }, options);
    } finally {
      await processes.end();
      state.closeAllConnections();
      state.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#log.close();
  }
}

class ProcessPool {
  readonly #options: ReplicaProcessOptions;
  readonly #children = new Set<Child>();
  readonly #spare: Child[] = [];

  constructor(options: ReplicaProcessOptions) {
    this.#options = options;
    for (let count = 0; count < SPARE_PROCESSES; count++) this.#spare.push(this.#spawn());
  }

  async take(): Promise<Replica> {
    const child = this.#spare.shift() ?? this.#spawn();
    const url = (await child.waitForLine(/^ready /, 30_000)).slice('ready '.length);
    const gone = async (signal: NodeJS.Signals): Promise<void> => {
      await child.kill(signal);
      this.#children.delete(child);
    };
    return { url, kill: () => gone('SIGKILL'), stop: () => gone('SIGTERM'), lag: () => undefined };
  }

  async end(): Promise<void> {
    await Promise.all([...this.#children].map((child) => child.kill('SIGKILL')));
  }

  #spawn(): Child {
    const child = startChild(
      'e2e/exactness/replica-process.ts',
      {},
      { args: [JSON.stringify(this.#options)] },
    );
    this.#children.add(child);
    return child;
  }
}

/** The view's database, as a snapshot reads it. */
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
