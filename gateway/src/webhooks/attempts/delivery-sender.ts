import { toTidegateError, type Envelope } from '@tidegate/core';
import type { Database } from '@tidegate/database';
import type { Logger } from '@tidegate/runtime/telemetry';
import type { AttemptOutcome, FailedAttempt } from '../attempt-outcome.ts';
import type { ClaimedDelivery, DeliveryQueue } from '../deliveries/delivery-queue.ts';
import { nextStep } from '../deliveries/retry-schedule.ts';
import type { EndpointCache, EndpointIndex, PreparedEndpoint } from '../endpoints/endpoint-cache.ts';
import { healthAfter } from '../endpoints/endpoint-health.ts';
import { signatureHeaders } from '../endpoints/signing.ts';
import type { WebhookTables } from '../tables.ts';
import type { BodyRenderer } from './delivery-body.ts';
import type { WebhookClient } from './webhook-client.ts';
import type { WebhookMetrics } from './webhook-metrics.ts';

export interface DeliverySenderOptions {
  readonly database: Database<WebhookTables>;
  readonly queue: DeliveryQueue;
  readonly endpoints: EndpointCache;
  readonly renderer: BodyRenderer;
  readonly client: WebhookClient;
  readonly logger: Logger;
  readonly metrics: WebhookMetrics;
  readonly clock: () => number;
  readonly retryScheduleMs: readonly number[];
  /** Maximum attempts in flight. */
  readonly maxConcurrent: number;
  /** Maximum attempts in flight to one endpoint. */
  readonly maxConcurrentPerEndpoint: number;
  /** Lease of a claimed delivery. Longer than an attempt's deadline. */
  readonly leaseMs: number;
  readonly disableAfterMs: number;
  /** Called after each attempt: its slot is free, and the next change of its key may be due. */
  readonly onFinished: () => void;
}

/** An attempt with the body that was sent; `body` is undefined when none could be rendered. */
interface Attempt {
  readonly body: string | undefined;
  readonly outcome: AttemptOutcome;
}

/** Claims due deliveries and attempts them concurrently. A slow endpoint occupies only its own share of the slots. */
export class DeliverySender {
  readonly #options: DeliverySenderOptions;
  /** Endpoint id of each attempt in flight. */
  readonly #inFlight = new Map<Promise<void>, string>();
  readonly #stopping = new AbortController();

  constructor(options: DeliverySenderOptions) {
    this.#options = options;
  }

  /**
   * Starts attempts for due deliveries while slots are free.
   *
   * @returns the epoch milliseconds of the next due delivery, undefined when it is unknown.
   */
  async sendDue(): Promise<number | undefined> {
    const { queue, endpoints, database } = this.#options;
    for (;;) {
      const free = this.#options.maxConcurrent - this.#inFlight.size;
      if (free <= 0) return undefined;
      const deliveries = await queue.claim({
        limit: free,
        leaseMs: this.#options.leaseMs,
        excluding: this.#fullEndpoints(),
        room: (id) => this.#room(id),
      });
      if (deliveries.length === 0) break;
      const index = await endpoints.current(database.query);
      for (const delivery of deliveries) this.#start(delivery, index);
    }
    return queue.nextDueAt();
  }

  /** Waits up to `graceMs` for attempts in flight, then aborts them and releases their deliveries. */
  async stop(graceMs: number): Promise<void> {
    const timer = setTimeout(() => this.#stopping.abort(new Error('the dispatcher stops')), graceMs);
    await Promise.all(this.#inFlight.keys());
    clearTimeout(timer);
  }

  #room(endpointId: string): number {
    let used = 0;
    for (const id of this.#inFlight.values()) if (id === endpointId) used++;
    return this.#options.maxConcurrentPerEndpoint - used;
  }

  #fullEndpoints(): string[] {
    return [...new Set(this.#inFlight.values())].filter((id) => this.#room(id) <= 0);
  }

  #start(delivery: ClaimedDelivery, index: EndpointIndex): void {
    const attempt = this.#attempt(delivery, index.byId.get(delivery.endpointId)).finally(() => {
      this.#inFlight.delete(attempt);
      this.#options.metrics.inFlight.set(this.#inFlight.size);
      this.#options.onFinished();
    });
    this.#inFlight.set(attempt, delivery.endpointId);
    this.#options.metrics.inFlight.set(this.#inFlight.size);
  }

  /** Never rejects: a delivery whose attempt could not be stored is attempted again when its lease ends. */
  async #attempt(delivery: ClaimedDelivery, endpoint: PreparedEndpoint | undefined): Promise<void> {
    const at = this.#options.clock();
    const startedMs = performance.now();
    try {
      const attempt = await this.#send(delivery, endpoint);
      await this.#settle(delivery, attempt, { at, durationMs: performance.now() - startedMs });
    } catch (error) {
      if (this.#stopping.signal.aborted) return await this.#release(delivery);
      this.#options.logger.error(
        { err: error, delivery: delivery.id, endpoint: delivery.endpointId },
        'an attempt could not be made or stored; the delivery is attempted again when its lease ends',
      );
    }
  }

  async #send(delivery: ClaimedDelivery, endpoint: PreparedEndpoint | undefined): Promise<Attempt> {
    if (!endpoint)
      return { body: undefined, outcome: notRendered('The document does not fit the schema any more.') };
    const body = await this.#render(delivery, endpoint);
    if (typeof body !== 'string') return { body: undefined, outcome: body };
    const nowMs = this.#options.clock();
    const headers = {
      'content-type': 'application/cloudevents+json; charset=utf-8',
      'user-agent': 'Tidegate-Webhooks/1',
      ...signatureHeaders(endpoint.signers(nowMs), { id: delivery.id, timestampMs: nowMs, body }),
    };
    const outcome = await this.#options.client.post(endpoint.url, headers, body, this.#stopping.signal);
    return { body, outcome };
  }

  async #render(delivery: ClaimedDelivery, endpoint: PreparedEndpoint): Promise<string | FailedAttempt> {
    if (delivery.body !== null) return delivery.body;
    if (delivery.envelope === null) return notRendered('The change is not kept any more.');
    try {
      return await this.#options.renderer.render(endpoint, JSON.parse(delivery.envelope) as Envelope);
    } catch (error) {
      const { code, message } = toTidegateError(error);
      this.#options.logger.warn({ err: error, endpoint: endpoint.id }, 'a webhook could not be rendered');
      return notRendered(`${code}: ${message}`);
    }
  }

  async #settle(
    delivery: ClaimedDelivery,
    { outcome, body }: Attempt,
    timing: { readonly at: number; readonly durationMs: number },
  ): Promise<void> {
    const { queue, metrics, clock, retryScheduleMs, disableAfterMs } = this.#options;
    const failure = outcome.result === 'failed' ? outcome : undefined;
    const next = nextStep(outcome, {
      attempts: delivery.attempts + 1 - delivery.attemptsBefore,
      scheduleMs: retryScheduleMs,
      nowMs: clock(),
    });
    metrics.attempts.inc({ outcome: failure?.error ?? 'delivered' });
    metrics.seconds.observe(timing.durationMs / 1000);
    if (next.status === 'dead') metrics.dead.inc();
    const attempt = {
      ...timing,
      httpStatus: outcome.httpStatus,
      error: failure?.error,
      message: failure?.message,
      body,
    };
    if (await queue.settle(delivery, attempt, next, healthAfter(outcome, disableAfterMs))) return;
    this.#options.logger.warn(
      { delivery: delivery.id },
      'a delivery was claimed by another dispatcher or deleted during its attempt',
    );
  }

  async #release(delivery: ClaimedDelivery): Promise<void> {
    await this.#options.queue.release(delivery).catch((error: unknown) => {
      this.#options.logger.warn({ err: error }, 'a delivery stays leased until its lease ends');
    });
  }
}

function notRendered(message: string): FailedAttempt {
  return { result: 'failed', error: 'RENDER_FAILED', message };
}
