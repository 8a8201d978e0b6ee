import { afterEach, beforeEach, vi } from 'vitest';
import { GatewayFixture } from './gateway.fixture.ts';
import { createLiveClient, type LiveClient, type LiveClientOptions, type Phase } from './index.ts';

const waiting = { timeout: 10_000, interval: 10 };

/** A client of a gateway fixture. `defaults` are the options that every test of the file shares. */
export class ClientFixture {
  gateway = new GatewayFixture();
  phases: Phase[] = [];
  /** True while the client waits for a sign-in. */
  signedOut = false;
  readonly #defaults: Partial<LiveClientOptions>;
  #client: LiveClient | undefined;

  constructor(defaults: Partial<LiveClientOptions>) {
    this.#defaults = defaults;
  }

  /** Creates the client of this test. It is closed at the end. */
  connect(options: Partial<LiveClientOptions> = {}): LiveClient {
    this.#client = createLiveClient({
      url: this.gateway.url,
      token: () => Promise.resolve('secret'),
      backoff: { firstMs: 5, maxMs: 20 },
      onPhase: (phase, details) => {
        this.phases.push(phase);
        this.signedOut = details.signedOut === true;
      },
      ...this.#defaults,
      ...options,
    });
    return this.#client;
  }

  async untilLive(): Promise<void> {
    await vi.waitUntil(() => this.#client?.phase === 'live', waiting);
  }

  async untilSubscribed(times: number): Promise<void> {
    await vi.waitUntil(() => this.gateway.cursorsSeen.length >= times, waiting);
  }

  async reset(sendsIdleCursors: boolean): Promise<void> {
    this.phases = [];
    this.signedOut = false;
    await this.replaceGateway(sendsIdleCursors);
  }

  /** Listens with a new gateway; the former one has been closed. */
  async replaceGateway(sendsIdleCursors: boolean, port?: number): Promise<void> {
    this.gateway = new GatewayFixture();
    this.gateway.sendsIdleCursors = sendsIdleCursors;
    await this.gateway.listen(port);
  }

  async close(): Promise<void> {
    this.#client?.close();
    await this.gateway.close();
  }
}

/** Gives each test of a file a fresh gateway and client. */
export function useClientFixture(
  defaults: Partial<LiveClientOptions>,
  { sendsIdleCursors }: { sendsIdleCursors: boolean },
): ClientFixture {
  const fixture = new ClientFixture(defaults);
  beforeEach(() => fixture.reset(sendsIdleCursors));
  afterEach(() => fixture.close());
  return fixture;
}

/** Subscribes and collects results as `key@version`, resets and ends, also all of them in order. */
export function collect(client: LiveClient, query = 'subscription { changes }') {
  const seen: string[] = [];
  const resets: string[] = [];
  const ends: string[] = [];
  const log: string[] = [];
  const unsubscribe = client.subscribe({
    query,
    onResult: ({ extensions }) => {
      seen.push(`${extensions?.key}@${extensions?.version}`);
      log.push(`${extensions?.key}@${extensions?.version}`);
    },
    onReset: (reason) => {
      resets.push(reason);
      log.push(reason);
    },
    onError: (error) => ends.push(error.code),
    onComplete: () => ends.push('complete'),
  });
  return { seen, resets, ends, log, unsubscribe };
}
