import { backoffMs, delay } from '@tidegate/runtime/resilience';
import type { Logger } from '@tidegate/runtime/telemetry';

/** One connection that is kept, for what belongs to a connection: LISTEN and advisory locks. */
export interface SessionClient {
  query<Row>(text: string, values?: readonly unknown[]): Promise<Row[]>;
  /** Called once when the connection is gone, whoever ended it. */
  onGone(listener: () => void): void;
  /** `own` is true for a NOTIFY that this connection sent itself. */
  onNotification(listener: (channel: string, own: boolean) => void): void;
  end(): Promise<void>;
}

export interface Session {
  /** The connection, opened when there is none. Rejects when it cannot be. */
  client(): Promise<SessionClient>;
  /** Runs for every connection, the first and each later one, before anyone gets it. */
  onConnect(listener: (client: SessionClient) => Promise<void>): void;
  onGone(listener: () => void): void;
  close(): Promise<void>;
}

export interface SessionOptions {
  readonly connect: () => Promise<SessionClient>;
  readonly logger: Logger;
  /** A connection that died silently must not seem to hold its locks for long. */
  readonly pingIntervalMs?: number;
}

const reconnectBackoff = { firstMs: 100, maxMs: 5_000 };

/** Opens on first use and from then on opens again, with backoff, whenever the connection is gone. */
export function createSession({ connect, logger, pingIntervalMs = 3_000 }: SessionOptions): Session {
  const closing = new AbortController();
  const connectListeners: ((client: SessionClient) => Promise<void>)[] = [];
  const goneListeners: (() => void)[] = [];
  let current: Promise<SessionClient> | undefined;

  async function open(): Promise<SessionClient> {
    const opened = await connect();
    const heartbeat = setInterval(() => {
      opened.query('select 1').catch(() => opened.end().catch(() => undefined));
    }, pingIntervalMs);
    heartbeat.unref();
    opened.onGone(() => {
      clearInterval(heartbeat);
      gone();
    });
    for (const listener of connectListeners) await listener(opened);
    return opened;
  }

  function client(): Promise<SessionClient> {
    closing.signal.throwIfAborted();
    if (current) return current;
    const opening = open();
    current = opening;
    opening.catch(() => {
      if (current === opening) current = undefined;
    });
    return opening;
  }

  function gone(): void {
    current = undefined;
    for (const listener of goneListeners) listener();
    if (!closing.signal.aborted) void reconnect();
  }

  async function reconnect(): Promise<void> {
    for (let attempt = 1; !closing.signal.aborted; attempt++) {
      try {
        await delay(backoffMs(attempt, reconnectBackoff), closing.signal);
        await client();
        return;
      } catch (error) {
        if (closing.signal.aborted) return;
        logger.warn({ err: error, attempt }, 'Postgres: the connection for locks and signals is away');
      }
    }
  }

  return {
    client: async () => client(),
    onConnect: (listener) => void connectListeners.push(listener),
    onGone: (listener) => void goneListeners.push(listener),
    async close() {
      if (closing.signal.aborted) return;
      closing.abort();
      const last = await current?.catch(() => undefined);
      await last?.end().catch(() => undefined);
    },
  };
}
