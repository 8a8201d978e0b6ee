import { nowUs } from '../processes/clock.ts';
import { percentile } from '../percentiles.ts';
import { DeliveryTrack } from './delivery-track.ts';
import { LoadConnection } from './load-connection.ts';
import { readTimes } from './next-message.ts';

export interface LoadGroupOptions {
  readonly port: number;
  readonly path: string;
  readonly token?: string;
  readonly connections: number;
  readonly query: string;
  /** Subscribes to distinct keys, in the variable `key`. Default: one subscription per connection, without variables. */
  readonly keys?: { readonly perConnection: number };
  /** Additional subscription of the first `connections` connections. */
  readonly bulk?: { readonly connections: number; readonly query: string; readonly key: string };
  /** Measures the delays of every nth connection. Default 20. */
  readonly sampleEvery?: number;
  /** Tracks the versions that each client receives. `seen` is the version of every key at the start. */
  readonly track?: { readonly keys: number; readonly seen: number };
}

export interface LoadCounts {
  readonly received: number;
  readonly open: number;
  readonly refused: number;
  readonly reconnects: number;
  /** Number of closed connections by close code or error. */
  readonly closed: Readonly<Record<string, number>>;
  readonly firstRefusal?: string;
}

/** Delays from the append to the receipt by a client, in ms. `fromAsked` counts from the measurement's request. */
export interface Delays {
  readonly samples: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  readonly fromAskedP99Ms: number;
}

/** Maximum number of concurrent upgrades. */
const CONNECTING_AT_ONCE = 100;
const MAX_ATTEMPTS = 20;
/** A source address has about 28,000 ports. */
const CONNECTIONS_PER_ADDRESS = 10_000;
/** Maximum wait before a reconnect, with full jitter. */
const MAX_BACKOFF_MS = 1_000;
const MAX_SAMPLES = 2_000_000;

/** Connections to one server, with common counts and delays. */
export class LoadGroup {
  readonly #options: LoadGroupOptions;
  readonly #connections: LoadConnection[] = [];
  readonly #tracks: DeliveryTrack[] = [];
  readonly #closed: Record<string, number> = {};
  readonly #waiters = new Set<{ reached: () => boolean; resolve: () => void }>();
  #delays: number[] = [];
  #delaysFromAsked: number[] = [];
  #received = 0;
  #open = 0;
  #reconnects = 0;
  /** Set by `reopen`: from then on a closed connection reconnects, as a client does. */
  #reconnectPort: number | undefined;
  #refused = 0;
  #firstRefusal: string | undefined;

  constructor(options: LoadGroupOptions) {
    this.#options = options;
    const { track } = options;
    if (!track) return;
    for (let index = 0; index < options.connections; index++)
      this.#tracks.push(new DeliveryTrack(track.keys, track.seen));
  }

  /** Opens all connections. Resolves when each is subscribed or gone. */
  async open(): Promise<void> {
    await this.#openAll(this.#options.port);
  }

  /** Reconnects all to another replica, tracked ones with their cursors, and again whenever one is closed. */
  async reopen(port: number): Promise<void> {
    this.#reconnectPort = port;
    await this.#openAll(port);
  }

  async #openAll(port: number): Promise<void> {
    let next = 0;
    const openSome = async (): Promise<void> => {
      while (next < this.#options.connections) await this.#connect(next++, port);
    };
    await Promise.all(Array.from({ length: CONNECTING_AT_ONCE }, openSome));
  }

  counts(): LoadCounts {
    return {
      received: this.#received,
      open: this.#open,
      refused: this.#refused,
      reconnects: this.#reconnects,
      closed: { ...this.#closed },
      ...(this.#firstRefusal !== undefined && { firstRefusal: this.#firstRefusal }),
    };
  }

  /** Resolves true when this many messages have arrived, false after the timeout. */
  receivedAtLeast(count: number, timeoutMs: number): Promise<boolean> {
    return this.#wait(() => this.#received >= count, timeoutMs);
  }

  /** Resolves true when all connections are closed, false after the timeout. */
  allClosed(timeoutMs: number): Promise<boolean> {
    return this.#wait(() => this.#open === 0, timeoutMs);
  }

  /** Resolves true when every tracked client has received all `versions`, false after the timeout. */
  async caughtUp(versions: number, timeoutMs: number): Promise<boolean> {
    const deadline = performance.now() + timeoutMs;
    let first = 0;
    while (performance.now() < deadline) {
      while (first < this.#tracks.length && this.#tracks[first]!.versions >= versions) first += 1;
      if (first === this.#tracks.length) return true;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return false;
  }

  deliveries(versions: number): { behind: number; lost: number; repeated: number } {
    const sum = (count: (track: DeliveryTrack) => number): number =>
      this.#tracks.reduce((total, track) => total + count(track), 0);
    return {
      behind: this.#tracks.filter((track) => track.versions < versions).length,
      // Ticks that have not arrived by now count as lost.
      lost: sum((track) => track.lost + Math.max(0, versions - track.versions)),
      repeated: sum((track) => track.repeated),
    };
  }

  /** Returns the delays since the last call. */
  takeDelays(): Delays {
    const [delays, fromAsked] = [this.#delays, this.#delaysFromAsked];
    this.#delays = [];
    this.#delaysFromAsked = [];
    return {
      samples: delays.length,
      p50Ms: percentile(delays, 0.5),
      p99Ms: percentile(delays, 0.99),
      maxMs: percentile(delays, 1),
      fromAskedP99Ms: percentile(fromAsked, 0.99),
    };
  }

  /** Pauses the first `count` connections. They are bulk connections, whose delays are never measured. */
  pause(count: number): void {
    for (const connection of this.#connections.slice(0, count)) connection.pause();
  }

  /** Replaces the first `count` connections by new ones, which read again. */
  async resume(count: number): Promise<void> {
    for (const connection of this.#connections.slice(0, count)) connection.cut();
    await this.#wait(() => this.#open <= this.#options.connections - count, 5_000);
    for (let index = 0; index < count; index++) await this.#connect(index, this.#options.port);
  }

  close(): Promise<boolean> {
    this.#reconnectPort = undefined;
    for (const connection of this.#connections) connection.cut();
    return this.allClosed(10_000);
  }

  /** Retries, as clients do: an overloaded server closes some connections before it reads from them. */
  async #connect(index: number, port: number): Promise<void> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) if (await this.#openOne(index, port)) return;
  }

  /** Resolves false when the connection was closed before it was subscribed. */
  #openOne(index: number, port: number): Promise<boolean> {
    const { path, token, bulk, sampleEvery = 20 } = this.#options;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const track = this.#tracks[index];
    const isBulk = bulk !== undefined && index < bulk.connections;
    const isSampled = !isBulk && index % sampleEvery === 0;
    let isOpen = false;
    this.#connections[index] = new LoadConnection({
      port,
      path,
      localAddress: `127.0.0.${1 + Math.floor(index / CONNECTIONS_PER_ADDRESS)}`,
      token,
      subscriptions: this.#subscriptions(index),
      readsAll: track !== undefined || isSampled,
      listener: {
        onOpen: () => {
          isOpen = true;
          this.#open += 1;
          resolve(true);
        },
        onNext: (bytes, start, end) => {
          this.#received += 1;
          if (isSampled) this.#sample(bytes, start, end);
          track?.onNext(bytes, start, end);
          if (this.#waiters.size > 0) this.#wake();
        },
        ...(track && { onReadEnd: () => track.onReadEnd() }),
        onRefused: (message) => {
          this.#refused += 1;
          this.#firstRefusal ??= message;
        },
        onClosed: (reason) => {
          this.#closed[reason] = (this.#closed[reason] ?? 0) + 1;
          resolve(false);
          if (!isOpen) return;
          this.#open -= 1;
          this.#wake();
          if (this.#reconnectPort !== undefined) this.#reconnect(index, this.#reconnectPort);
        },
      },
    });
    return promise;
  }

  #reconnect(index: number, port: number): void {
    this.#reconnects += 1;
    setTimeout(() => void this.#connect(index, port), Math.random() * MAX_BACKOFF_MS);
  }

  #subscriptions(index: number): object[] {
    const { query, keys, bulk } = this.#options;
    const cursor = this.#tracks[index]?.cursor;
    const extensions = cursor === undefined ? {} : { extensions: { cursor } };
    if (!keys) {
      const all = { query, ...extensions };
      if (!bulk || index >= bulk.connections) return [all];
      return [all, { query: bulk.query, variables: { key: bulk.key } }];
    }
    return Array.from({ length: keys.perConnection }, (_, nth) => ({
      query,
      variables: { key: `k${index * keys.perConnection + nth}` },
    }));
  }

  #sample(bytes: Buffer, start: number, end: number): void {
    const times = readTimes(bytes, start, end);
    if (!times || this.#delays.length >= MAX_SAMPLES) return;
    const now = nowUs();
    this.#delays.push((now - times.at) / 1000);
    this.#delaysFromAsked.push((now - times.asked) / 1000);
  }

  #wait(reached: () => boolean, timeoutMs: number): Promise<boolean> {
    if (reached()) return Promise.resolve(true);
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#waiters.delete(waiter);
        resolve(false);
      }, timeoutMs);
      const waiter = {
        reached,
        resolve: () => {
          clearTimeout(timer);
          resolve(true);
        },
      };
      this.#waiters.add(waiter);
    });
  }

  #wake(): void {
    for (const waiter of this.#waiters) {
      if (!waiter.reached()) continue;
      this.#waiters.delete(waiter);
      waiter.resolve();
    }
  }
}
