import { backoffMs, delay } from '@tidegate/runtime/resilience';
import type { Logger } from '@tidegate/runtime/telemetry';

/** One connection outside the pool, for state that belongs to a connection: LISTEN and advisory locks. */
export interface SessionClient {
  query<Row>(text: string, values?: readonly unknown[]): Promise<Row[]>;
  /** Calls the listener once when the connection has ended, for any reason. */
  onEnd(listener: () => void): void;
  /** Calls the listener for each NOTIFY. `own` is true when this connection sent it. */
  onNotification(listener: (channel: string, own: boolean) => void): void;
  end(): Promise<void>;
}

export interface SessionOptions {
  readonly connect: () => Promise<SessionClient>;
  readonly logger: Logger;
  /**
   * Interval in milliseconds at which the connection is probed, so that a silently broken one is noticed and its locks
   * are reported as lost. Default 3,000.
   */
  readonly pingIntervalMs?: number;
}

const reconnectBackoff = { firstMs: 100, maxMs: 5_000 };

/** Connects on first use. From then on it reconnects, with backoff, whenever the connection ends. */
export class Session {
  readonly #connect: () => Promise<SessionClient>;
  readonly #logger: Logger;
  readonly #pingIntervalMs: number;
  readonly #closing = new AbortController();
  readonly #connectListeners: ((client: SessionClient) => Promise<void>)[] = [];
  readonly #endListeners: (() => void)[] = [];
  #current: Promise<SessionClient> | undefined;
  #isReconnecting = false;

  constructor({ connect, logger, pingIntervalMs = 3_000 }: SessionOptions) {
    this.#connect = connect;
    this.#logger = logger;
    this.#pingIntervalMs = pingIntervalMs;
  }

  /** Resolves with the connection; opens it when there is none. Rejects when it cannot be opened or after `close`. */
  async client(): Promise<SessionClient> {
    this.#closing.signal.throwIfAborted();
    if (this.#current) return this.#current;
    const opening = this.#open();
    this.#current = opening;
    opening.catch(() => {
      if (this.#current === opening) this.#current = undefined;
    });
    return opening;
  }

  /** The listener runs for every new connection before `client` resolves with it. */
  onConnect(listener: (client: SessionClient) => Promise<void>): void {
    this.#connectListeners.push(listener);
  }

  /** The listener runs whenever a connection has ended. */
  onEnd(listener: () => void): void {
    this.#endListeners.push(listener);
  }

  /** Ends the connection. Idempotent. */
  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    const last = await this.#current?.catch(() => undefined);
    await last?.end().catch(() => undefined);
  }

  async #open(): Promise<SessionClient> {
    const opened = await this.#connect();
    const heartbeat = setInterval(() => {
      opened.query('select 1').catch(() => opened.end().catch(() => undefined));
    }, this.#pingIntervalMs);
    heartbeat.unref();
    opened.onEnd(() => {
      clearInterval(heartbeat);
      this.#handleEnd();
    });
    try {
      for (const listener of this.#connectListeners) await listener(opened);
    } catch (error) {
      // Nobody else ends it: its caller gets the error.
      await opened.end().catch(() => undefined);
      throw error;
    }
    return opened;
  }

  #handleEnd(): void {
    this.#current = undefined;
    for (const listener of this.#endListeners) listener();
    if (!this.#closing.signal.aborted && !this.#isReconnecting) void this.#reconnect();
  }

  async #reconnect(): Promise<void> {
    const { signal } = this.#closing;
    this.#isReconnecting = true;
    for (let attempt = 1; !signal.aborted; attempt++) {
      try {
        await delay(backoffMs(attempt, reconnectBackoff), signal);
        await this.client();
        this.#isReconnecting = false;
        return;
      } catch (error) {
        if (signal.aborted) return;
        this.#logger.warn({ err: error, attempt }, 'Postgres: the connection for locks and signals is away');
      }
    }
  }
}
