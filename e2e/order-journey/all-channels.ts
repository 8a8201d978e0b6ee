import { until } from '@tidegate/testing';
import type { Client } from 'graphql-ws';
import type { RunningPlatform } from '../harness/running-platform.ts';
import { watchSse, watchWebSocket, webSocketClient, type LiveMessage, type Watch } from '../harness/watch.ts';
import { registerWebhook, startWebhookReceiver, type WebhookEndpoint } from '../harness/webhook-receiver.ts';

const ORDERS = 'subscription { orders { id version status } }';

export interface OrderState {
  readonly id: string;
  readonly version: number;
  readonly status: string;
  /** Id of the change, the same on each channel. */
  readonly changeId: string | undefined;
}

/** The live field `orders` over WebSocket, over SSE and as a webhook, all from now on. */
export class AllChannels implements AsyncDisposable {
  readonly #client: Client;
  readonly #webSocket: Watch;
  readonly #sse: Watch;
  readonly #receiver: Awaited<ReturnType<typeof startWebhookReceiver>>;
  readonly #endpoint: WebhookEndpoint;

  static async open(platform: RunningPlatform, token: string): Promise<AllChannels> {
    const receiver = await startWebhookReceiver();
    const partner = await platform.token('partner-1', 'partner', ['customer-1']);
    const webhook = { url: receiver.url, document: ORDERS };
    const endpoint = await registerWebhook(platform.webUrl, partner, webhook);
    return new AllChannels(`${platform.webUrl}/graphql/web`, token, receiver, endpoint);
  }

  private constructor(
    url: string,
    token: string,
    receiver: Awaited<ReturnType<typeof startWebhookReceiver>>,
    endpoint: WebhookEndpoint,
  ) {
    this.#client = webSocketClient(url, token);
    this.#webSocket = watchWebSocket(this.#client, { query: ORDERS });
    this.#sse = watchSse(url, token, { query: ORDERS });
    this.#receiver = receiver;
    this.#endpoint = endpoint;
  }

  /** Resolves when every channel has started: it places orders until one appears on all three. */
  async started(place: () => Promise<string>): Promise<void> {
    const probe = async (): Promise<boolean> => {
      const orderId = await place();
      const appeared = (): boolean =>
        this.#onWebSocket(orderId).length > 0 &&
        this.#onSse(orderId).length > 0 &&
        this.#posted(orderId).length > 0;
      return until(appeared, { what: 'the probe', timeoutMs: 3_000 }).then(
        () => true,
        () => false,
      );
    };
    await until(probe, { what: 'all three channels to have started', timeoutMs: 30_000 });
  }

  /** Waits until the order is delivered to the customer and returns its states on each channel. */
  async statesOfDelivered(
    orderId: string,
  ): Promise<{ webSocket: OrderState[]; sse: OrderState[]; webhook: OrderState[] }> {
    const delivered = (states: readonly OrderState[]): boolean =>
      states.some(({ status }) => status === 'DELIVERED');
    await until(() => delivered(this.#onWebSocket(orderId)) && delivered(this.#onSse(orderId)), {
      what: 'the order to be delivered',
      timeoutMs: 20_000,
    });
    const webSocket = this.#onWebSocket(orderId);
    await until(() => this.#posted(orderId).length >= webSocket.length, {
      what: 'the webhook deliveries',
      timeoutMs: 20_000,
    });
    return { webSocket, sse: this.#onSse(orderId), webhook: this.#posted(orderId) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#webSocket.stop();
    this.#sse.stop();
    await this.#client.dispose();
    await this.#endpoint.remove();
    await this.#receiver.stop();
  }

  #onWebSocket(orderId: string): OrderState[] {
    return statesOf(this.#webSocket.messages, orderId);
  }

  #onSse(orderId: string): OrderState[] {
    return statesOf(this.#sse.messages, orderId);
  }

  #posted(orderId: string): OrderState[] {
    return this.#receiver.deliveries
      .filter(({ body }) => body['subject'] === orderId)
      .map(({ body }) => ({
        ...(body['data'] as { orders: Omit<OrderState, 'changeId'> }).orders,
        changeId: body['id'] as string,
      }));
  }
}

function statesOf(messages: readonly LiveMessage[], orderId: string): OrderState[] {
  return messages
    .filter(({ key }) => key === orderId)
    .map(({ id, data }) => ({
      ...(data as unknown as { orders: Omit<OrderState, 'changeId'> }).orders,
      changeId: id,
    }));
}
