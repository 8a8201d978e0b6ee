import { delay } from '@tidegate/runtime/resilience';
import { watchWebSocket, webSocketClient, type LiveMessage, type Watch } from './watch.ts';

const RECONNECT_MS = 200;

/**
 * A subscriber that reconnects with its last cursor whenever its connection ends, to the next of its gateways. It keeps
 * every message and does not deduplicate, so that repeated messages show.
 */
export class ResumingSubscriber {
  readonly messages: LiveMessage[] = [];
  readonly #urls: readonly string[];
  readonly #token: string;
  readonly #query: string;
  readonly #running: Promise<void>;
  #connections = 0;
  #stopped = false;
  #current: Watch | undefined;

  /** Subscribes to `query` on the BFF at the first of the URLs, later at the others in turn. */
  constructor(urls: readonly string[], token: string, query: string) {
    this.#urls = urls;
    this.#token = token;
    this.#query = query;
    this.#running = this.#run();
  }

  get reconnects(): number {
    return this.#connections - 1;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#current?.stop();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      await this.#connect();
      if (!this.#stopped) await delay(RECONNECT_MS);
    }
  }

  /** Resolves when the connection has ended. */
  async #connect(): Promise<void> {
    const url = this.#urls[this.#connections % this.#urls.length]!;
    this.#connections += 1;
    const client = webSocketClient(url, this.#token);
    const cursor = this.messages.at(-1)?.cursor;
    const watch = watchWebSocket(client, {
      query: this.#query,
      ...(cursor !== undefined && { extensions: { cursor } }),
    });
    this.#current = watch;
    const move = (): unknown => this.messages.push(...watch.messages.splice(0));
    const moving = setInterval(move, 5);
    await watch.closed;
    clearInterval(moving);
    move();
    await client.dispose();
  }
}
