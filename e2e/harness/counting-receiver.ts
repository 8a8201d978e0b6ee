import { until } from '@tidegate/testing';
import { registerWebhook, startWebhookReceiver, type WebhookEndpoint } from './webhook-receiver.ts';

type Receiver = Awaited<ReturnType<typeof startWebhookReceiver>>;

/** A receiver as the documentation asks for: it drops a delivery whose `webhook-id` it has seen. */
export class CountingReceiver implements AsyncDisposable {
  readonly #receiver: Receiver;
  readonly #endpoint: WebhookEndpoint;

  /**
   * Registers a webhook and begins to count.
   *
   * @param answerAfterMs time until a delivery is answered. Default 0.
   */
  static async register(
    webUrl: string,
    token: string,
    document: string,
    answerAfterMs = 0,
  ): Promise<CountingReceiver> {
    const receiver = await startWebhookReceiver(undefined, answerAfterMs);
    const endpoint = await registerWebhook(webUrl, token, { url: receiver.url, document });
    return new CountingReceiver(receiver, endpoint);
  }

  private constructor(receiver: Receiver, endpoint: WebhookEndpoint) {
    this.#receiver = receiver;
    this.#endpoint = endpoint;
  }

  /** Waits for the last versions. Returns the orders whose versions did not come once each and in order. */
  async wrongVersions(
    orders: readonly { readonly id: string; readonly version: number }[],
  ): Promise<{ id: string; received: string; expected: string }[]> {
    const total = orders.reduce((sum, { version }) => sum + version, 0);
    await until(() => this.#versions(orders).size > 0 && this.#count(orders) >= total, {
      what: 'the webhook of the last version of every order',
      timeoutMs: 60_000,
      everyMs: 500,
    }).catch(() => undefined);
    const versions = this.#versions(orders);
    return orders.flatMap(({ id, version }) => {
      const expected = Array.from({ length: version }, (_, index) => index + 1).join();
      const received = versions.get(id)?.join() ?? 'none';
      return received === expected ? [] : [{ id, received, expected }];
    });
  }

  /** Attempts that repeated one whose answer the dispatcher did not live to store. */
  get repeats(): number {
    const { deliveries } = this.#receiver;
    return deliveries.length - new Set(deliveries.map(({ headers }) => headers['webhook-id'])).size;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#endpoint.remove();
    await this.#receiver.stop();
  }

  #count(orders: readonly { readonly id: string }[]): number {
    return [...this.#versions(orders).values()].reduce((sum, versions) => sum + versions.length, 0);
  }

  /** Received versions by order, in their order, without repeats. */
  #versions(orders: readonly { readonly id: string }[]): Map<string, number[]> {
    const wanted = new Set(orders.map(({ id }) => id));
    const seen = new Set<unknown>();
    const versions = new Map<string, number[]>();
    for (const { headers, body } of this.#receiver.deliveries) {
      const { id, version } = (body['data'] as { orders: { id: string; version: number } }).orders;
      if (!wanted.has(id) || seen.has(headers['webhook-id'])) continue;
      seen.add(headers['webhook-id']);
      versions.set(id, [...(versions.get(id) ?? []), version]);
    }
    return versions;
  }
}
