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
import { AttemptSlots, type AttemptSlotsOptions } from './attempt-slots.ts';
import type { BodyRenderer } from './delivery-body.ts';
import type { WebhookClient } from './webhook-client.ts';
import type { WebhookMetrics } from './webhook-metrics.ts';

export interface DeliverySenderOptions extends AttemptSlotsOptions {
  readonly database: Database<WebhookTables>;
  readonly queue: DeliveryQueue;
  readonly endpoints: EndpointCache;
  readonly renderer: BodyRenderer;
  readonly client: WebhookClient;
  readonly logger: Logger;
  readonly metrics: WebhookMetrics;
  readonly clock: () => number;
  readonly retryScheduleMs: readonly number[];
  /** Lease of a claimed delivery. Longer than an attempt's deadline. */
  readonly leaseMs: number;
  readonly disableAfterMs: number;
  /** Called after each attempt: its slot is free, and the next change of its key may be due. */
  readonly onFinished: () => void;
}

/** Deliveries of one claim: their bodies are in memory until they are sent. */
const MAX_CLAIM = 64;

/** An attempt with the body that was sent; `body` is undefined when none could be rendered. */
interface Attempt {
  readonly body: string | undefined;
  readonly outcome: AttemptOutcome;
}

/** Claims due deliveries and attempts them concurrently. A slow partner occupies only its own share of the slots. */
export class DeliverySender {
  readonly #options: DeliverySenderOptions;
  readonly #slots: AttemptSlots;
  readonly #inFlight = new Set<Promise<void>>();
  readonly #stopping = new AbortController();

  constructor(options: DeliverySenderOptions) {
    this.#options = options;
    this.#slots = new AttemptSlots(options);
  }

  /**
   * Starts attempts for due deliveries while slots are free.
   *
   * @returns the epoch milliseconds of the next due delivery, undefined when it is unknown.
   */
  async sendDue(): Promise<number | undefined> {
    const { queue, endpoints, database } = this.#options;
    this.#slots.use(await endpoints.current(database.query));
    for (;;) {
      if (this.#slots.free <= 0) return undefined;
      const limit = Math.min(this.#slots.free, MAX_CLAIM);
      const deliveries = await queue.claim({ limit, leaseMs: this.#options.leaseMs, room: this.#slots });
      if (deliveries.length === 0) break;
      // After the claim: the endpoint of a delivery may have been registered meanwhile.
      const index = await endpoints.current(database.query);
      this.#slots.use(index);
      for (const delivery of deliveries) this.#start(delivery, index);
    }
    return queue.nextDueAt();
  }

  /** Waits up to `graceMs` for attempts in flight, then aborts them and releases their deliveries. */
  async stop(graceMs: number): Promise<void> {
    const timer = setTimeout(() => this.#stopping.abort(new Error('the dispatcher stops')), graceMs);
    await Promise.all(this.#inFlight);
    clearTimeout(timer);
  }

  #start(delivery: ClaimedDelivery, index: EndpointIndex): void {
    const release = this.#slots.take(delivery.endpointId);
    const attempt = this.#attempt(delivery, index.byId.get(delivery.endpointId)).finally(() => {
      this.#inFlight.delete(attempt);
      release();
      this.#options.metrics.inFlight.set(this.#slots.used);
      this.#options.onFinished();
    });
    this.#inFlight.add(attempt);
    this.#options.metrics.inFlight.set(this.#slots.used);
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
    this.#slots.attempted(delivery.endpointId, failure !== undefined && failure.error !== 'RENDER_FAILED');
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
