import { until } from '@tidegate/testing';
import { ExactnessViolation } from './expected-view.ts';
import { KEYS } from './item-bff.ts';
import type { ItemWriter } from './item-writer.ts';
import type { Replica } from './replica.ts';
import { noStats, type RunStats } from './run-stats.ts';
import { createResumingClient } from './create-resuming-client.ts';
import type { ResumingClient } from './resuming-client.ts';
import type { BrokerTrouble, ForeignWay } from './brokers/trouble.ts';
import { REPLICAS, type Script, type Step } from './script.ts';

/** More than the kernel buffers on loopback for a client that does not read. */
const FLOOD_BYTES = 5_000_000;
/** More than a clogged connection and the gateway's outbound queue take. */
const STALL_BYTES = 500_000;

/** Environment of a run. */
export interface World {
  readonly writer: ItemWriter;
  startReplica(): Promise<Replica>;
  /** Begins the trouble of a broker. Returns false when it cannot begin now. Default: there is none. */
  readonly trouble?: (trouble: BrokerTrouble) => boolean;
  /** Waits one step: a turn of the event loop for replicas in this process, longer for other processes. */
  turn(): Promise<void>;
}

export interface RunOptions {
  /** Maximum time for the views to become complete at the end, in milliseconds. */
  readonly completeWithinMs: number;
}

type Place = { readonly phase: 'up'; readonly replica: Replica } | { readonly phase: 'down' | 'starting' };

/**
 * Plays a script against two replicas and checks every client against the oracle.
 *
 * @throws ExactnessViolation as soon as a client receives a wrong message; at the end, when a message is missing.
 */
export async function runScript(script: Script, world: World, options: RunOptions): Promise<RunStats> {
  const run = new ScriptRun(script, world, options);
  try {
    return await run.play();
  } finally {
    await run.end();
  }
}

class ScriptRun {
  readonly #script: Script;
  readonly #world: World;
  readonly #options: RunOptions;
  readonly #clients: ResumingClient[];
  readonly #places: Place[] = Array.from({ length: REPLICAS }, () => ({ phase: 'down' }));
  readonly #ending: Promise<void>[] = [];
  readonly #stats: RunStats = { ...noStats };
  /** All replicas ever started: clients are still connected to those that drain. */
  readonly #replicas: Replica[] = [];
  #violation: Error | undefined;

  constructor(script: Script, world: World, options: RunOptions) {
    this.#script = script;
    this.#world = world;
    this.#options = options;
    this.#clients = script.clients.map((spec, index) =>
      createResumingClient({
        ...spec,
        subject: `client-${index}`,
        writer: world.writer,
        urlOf: (replica) => this.#urlOf(replica),
        clog: (port, on) => {
          for (const replica of this.#replicas) replica.clog(port, on);
        },
        onViolation: (error) => {
          this.#violation ??= error;
        },
        onResume: () => {
          this.#stats.resumes += 1;
        },
        onRenewal: () => {
          this.#stats.renewals += 1;
        },
      }),
    );
  }

  async play(): Promise<RunStats> {
    await Promise.all(this.#places.map((_, place) => this.#start(place)));
    this.#script.early.forEach((early, client) => early && this.#clients[client]?.connect(client));
    for (const step of this.#script.steps) {
      await this.#play(step);
      this.#check();
    }
    await this.#completeViews();
    for (const { messages, dropped, fresh } of this.#views()) {
      this.#stats.messages += messages;
      this.#stats.dropped += dropped;
      this.#stats.fresh += fresh;
    }
    return this.#stats;
  }

  async end(): Promise<void> {
    for (const client of this.#clients) client.close();
    await this.#world.writer.settled().catch(() => undefined);
    const replicas = this.#places.flatMap((place) => (place.phase === 'up' ? [place.replica.release()] : []));
    await Promise.allSettled([...this.#ending, ...replicas]);
  }

  async #play(step: Step): Promise<void> {
    const { writer } = this.#world;
    switch (step.kind) {
      case 'write':
        writer.commit(step.keys);
        if (step.relay !== 'later') this.#relay(step.relay, step.malformed);
        return;
      case 'burst':
        writer.commit(Array.from({ length: step.count }, () => step.key));
        return this.#relay('once');
      case 'flood':
        return this.#flood([step.key], step.itemBytes, FLOOD_BYTES);
      case 'stall':
        // A flood for a disconnected client would only take time.
        if (!this.#clients[step.client]!.pause()) return;
        return this.#flood([this.#watchedBy(step.client), ...step.others], step.itemBytes, STALL_BYTES);
      case 'connect':
        return this.#clients[step.client]!.connect(step.replica);
      case 'reconnect':
        this.#clients[step.client]!.vanish();
        return this.#clients[step.client]!.connect(step.replica);
      case 'abort':
        return this.#abort(step.client, step.replica, step.turns);
      case 'resubscribe':
        if (this.#clients[step.client]!.resubscribe()) this.#stats.reuses += 1;
        return;
      case 'kill':
        return this.#kill(step.replica, step.back);
      case 'restart':
        return this.#restart(step.replica, step.back);
      case 'lag':
        return this.#lag(step.replica, step.on);
      case 'broker':
        if (this.#world.trouble?.(step)) this.#stats.troubles += 1;
        return;
      case 'wait':
        for (let turn = 0; turn < step.turns; turn++) await this.#world.turn();
        return;
      case 'pause':
        this.#clients[step.client]!.pause();
        return;
      default:
        return this.#clients[step.client]![step.kind]();
    }
  }

  async #abort(index: number, replica: number, turns: number): Promise<void> {
    const client = this.#clients[index]!;
    client.vanish();
    client.connect(replica);
    for (let turn = 0; turn < turns; turn++) await this.#world.turn();
    client.vanish();
    client.connect(replica);
    this.#stats.aborts += 1;
  }

  #watchedBy(client: number): string {
    return this.#script.clients[client]!.operations[0]!.key;
  }

  #flood(keys: readonly string[], itemBytes: number, bytes: number): Promise<void> {
    for (let sent = 0; sent < bytes; sent += keys.length * itemBytes) {
      this.#world.writer.commit(keys, itemBytes);
      this.#relay('once');
    }
    return this.#world.writer.settled();
  }

  #relay(way: 'once' | 'twice' | ForeignWay, malformed = 0): void {
    const foreign = way === 'once' || way === 'twice' ? undefined : way;
    if (foreign) this.#stats.foreign += 1;
    this.#world.writer.relay({ twice: way === 'twice', malformed, foreign }).catch((error: unknown) => {
      this.#violation ??= error as Error;
    });
  }

  async #start(index: number): Promise<void> {
    this.#places[index] = { phase: 'starting' };
    const replica = await this.#world.startReplica();
    this.#replicas.push(replica);
    this.#places[index] = { phase: 'up', replica };
  }

  async #kill(index: number, back: boolean): Promise<void> {
    const place = this.#places[index]!;
    if (place.phase !== 'up') return;
    this.#stats.kills += 1;
    this.#places[index] = { phase: 'down' };
    this.#ending.push(place.replica.kill());
    const allDown = this.#places.every(({ phase }) => phase !== 'up');
    if (back || allDown) await this.#start(index);
  }

  async #restart(index: number, back: boolean): Promise<void> {
    const place = this.#places[index]!;
    if (place.phase !== 'up') return this.#start(index);
    this.#stats.restarts += 1;
    this.#places[index] = { phase: 'down' };
    this.#ending.push(place.replica.stop());
    const allDown = this.#places.every(({ phase }) => phase !== 'up');
    if (back || allDown) await this.#start(index);
  }

  #lag(index: number, on: boolean): void {
    const place = this.#places[index]!;
    if (place.phase === 'up') place.replica.lag(on);
  }

  #urlOf(index: number): string | undefined {
    for (let offset = 0; offset < REPLICAS; offset++) {
      const place = this.#places[(index + offset) % REPLICAS]!;
      if (place.phase === 'up') return place.replica.url;
    }
    return undefined;
  }

  /** Connects all clients and publishes until every subscription has received a change and all published ones. */
  async #completeViews(): Promise<void> {
    for (const [index, { phase }] of this.#places.entries()) {
      if (phase === 'down') await this.#start(index);
      this.#lag(index, false);
    }
    const deadline = Date.now() + this.#options.completeWithinMs;
    for (let round = 0; ; round++) {
      this.#clients.forEach((client, index) => {
        client.resume();
        if (round === 0) client.settle();
        client.connect(index + round);
      });
      this.#world.writer.commit(KEYS);
      this.#relay('once');
      await this.#world.writer.settled();
      const isComplete = (): boolean => this.#violation !== undefined || this.#incompleteView() === undefined;
      await until(isComplete, {
        what: 'complete views',
        timeoutMs: Math.max(deadline - Date.now(), 1),
        everyMs: 1,
      }).catch(() => {
        this.#check();
        throw new ExactnessViolation(
          `views not complete after ${this.#options.completeWithinMs} ms: ${this.#incompleteView()}`,
        );
      });
      this.#check();
      // A second round: the first one may have delivered a snapshot, and the changes after it must come as well.
      if (round > 0 && this.#views().every(({ accepted }) => accepted)) return;
      if (Date.now() > deadline) throw new ExactnessViolation('a subscription was sent nothing at all');
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  #views() {
    return this.#clients.flatMap(({ views }) => views);
  }

  #incompleteView(): string | undefined {
    const view = this.#views().find((candidate) => candidate.missing() !== undefined);
    return view && `${view.toString()}: ${view.missing()}`;
  }

  #check(): void {
    if (this.#violation) throw this.#violation;
  }
}
