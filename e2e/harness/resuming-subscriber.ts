import { delay } from '@tidegate/runtime/resilience';
import { watchWebSocket, webSocketClient, type Seen } from './graphql.ts';

/** A subscriber that comes back with its last cursor whenever its connection ends, and drops nothing it is sent. */
export interface ResumingSubscriber {
  readonly seen: readonly Seen[];
  readonly reconnects: number;
  stop(): Promise<void>;
}

const COME_BACK_MS = 200;

/** Watches `query` on a BFF. What it keeps is exactly what it was sent: repeats would show. */
export function startResumingSubscriber(url: string, token: string, query: string): ResumingSubscriber {
  const seen: Seen[] = [];
  let reconnects = -1;
  let stopped = false;
  let current: { stop(): void } | undefined;
  const running = run();

  async function run(): Promise<void> {
    while (!stopped) {
      reconnects += 1;
      const client = webSocketClient(url, token);
      const cursor = seen.at(-1)?.cursor;
      const watch = watchWebSocket(client, {
        query,
        ...(cursor !== undefined && { extensions: { cursor } }),
      });
      current = watch;
      const forward = setInterval(() => seen.push(...watch.seen.splice(0)), 5);
      await watch.closed;
      clearInterval(forward);
      seen.push(...watch.seen.splice(0));
      await client.dispose();
      if (!stopped) await delay(COME_BACK_MS);
    }
  }

  return {
    seen,
    get reconnects() {
      return reconnects;
    },
    stop: async () => {
      stopped = true;
      current?.stop();
      await running;
    },
  };
}
