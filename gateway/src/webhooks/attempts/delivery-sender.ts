import { type Envelope, toTidegateError } from '@tidegate/core';
import type { Database } from '@tidegate/database';
import type { Logger } from '@tidegate/runtime/telemetry';
import type { BodyRenderer } from './delivery-body.ts';
import type {
  AfterAttempt,
  ClaimedDelivery,
  DeliveryQueue,
  EndpointHealth,
} from '../deliveries/delivery-queue.ts';
import type { EndpointIndex, RegisteredEndpoint, RegisteredEndpoints } from '../endpoints/endpoint-cache.ts';
import { retryDelayMs } from './retry-schedule.ts';
import { signatureHeaders } from './signing.ts';
import type { WebhookTables } from '../tables.ts';
import type { PostOutcome, WebhookClient } from './webhook-client.ts';
import type { WebhookMetrics } from './webhook-metrics.ts';

export interface DeliverySenderOptions {
  readonly database: Database<WebhookTables>;
  readonly queue: DeliveryQueue;
  readonly endpoints: RegisteredEndpoints;
  readonly renderer: BodyRenderer;
  readonly client: WebhookClient;
  readonly logger: Logger;
  readonly metrics: WebhookMetrics;
  readonly clock: () => number;
  readonly retryScheduleMs: readonly number[];
  readonly maxConcurrent: number;
  readonly maxConcurrentPerEndpoint: number;
  /** Longer than an attempt can take. */
  readonly leaseMs: number;
  readonly disableAfterMs: number;
  /** Called when an attempt has ended: its place is free, and its key's next change may be due. */
  readonly onFinished: () => void;
}

type Failure = Extract<PostOutcome, { result: 'failed' }>;

/** Claims due deliveries and attempts them, so many at a time; an endpoint that is slow holds up only itself. */
export class DeliverySender {
  readonly #options: DeliverySenderOptions;
  readonly #inFlight = new Map<Promise<void>, string>();
  readonly #stopping = new AbortController();

  constructor(options: DeliverySenderOptions) {
    this.#options = options;
  }

  /** Starts what is due and fits. Resolves with the epoch ms at which more is due; undefined when nobody knows. */
  async pass(): Promise<number | undefined> {
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

  /** Waits for what is under way for `graceMs`, then breaks it off and gives it back unattempted. */
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

  /** Never rejects: what could not be written down comes again when the lease ends. */
  async #attempt(delivery: ClaimedDelivery, endpoint: RegisteredEndpoint | undefined): Promise<void> {
    const at = this.#options.clock();
    const startedMs = performance.now();
    try {
      const { body, outcome } = await this.#send(delivery, endpoint);
      const durationMs = performance.now() - startedMs;
      await this.#finish(delivery, outcome, body, { at, durationMs });
    } catch (error) {
      if (this.#stopping.signal.aborted) return await this.#giveBack(delivery);
      this.#options.logger.error(
        { err: error, delivery: delivery.id, endpoint: delivery.endpointId },
        'a delivery could not be attempted or noted down; it comes again when its lease ends',
      );
    }
  }

  async #send(
    delivery: ClaimedDelivery,
    endpoint: RegisteredEndpoint | undefined,
  ): Promise<{ body: string | undefined; outcome: PostOutcome }> {
    if (!endpoint)
      return { body: undefined, outcome: notRendered('The document does not fit the schema any more.') };
    const rendered = await this.#body(delivery, endpoint);
    if (typeof rendered !== 'string') return { body: undefined, outcome: rendered };
    const now = this.#options.clock();
    const headers = {
      'content-type': 'application/cloudevents+json; charset=utf-8',
      'user-agent': 'Tidegate-Webhooks/1',
      ...signatureHeaders(endpoint.signers(now), { id: delivery.id, timestampMs: now, body: rendered }),
    };
    const outcome = await this.#options.client.post(endpoint.url, headers, rendered, this.#stopping.signal);
    return { body: rendered, outcome };
  }

  async #body(delivery: ClaimedDelivery, endpoint: RegisteredEndpoint): Promise<string | Failure> {
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

  async #finish(
    delivery: ClaimedDelivery,
    outcome: PostOutcome,
    body: string | undefined,
    timing: { at: number; durationMs: number },
  ): Promise<void> {
    const { queue, metrics } = this.#options;
    const after = this.#after(delivery, outcome, body);
    metrics.attempts.inc({ outcome: outcome.result === 'delivered' ? 'delivered' : outcome.error });
    metrics.seconds.observe(timing.durationMs / 1000);
    if (after.status === 'dead') metrics.dead.inc();
    const failure = outcome.result === 'failed' ? { error: outcome.error, message: outcome.message } : {};
    const attempt = { ...timing, httpStatus: outcome.httpStatus, ...failure };
    const kept = await queue.finish(delivery, attempt, after, this.#health(outcome));
    if (!kept) {
      this.#options.logger.warn(
        { delivery: delivery.id },
        'a delivery was taken over or removed while it was attempted',
      );
    }
  }

  #after(delivery: ClaimedDelivery, outcome: PostOutcome, body: string | undefined): AfterAttempt {
    if (outcome.result === 'delivered') return { status: 'delivered' };
    if (outcome.httpStatus === 410) return { status: 'dead', body };
    const { retryScheduleMs: scheduleMs, clock } = this.#options;
    const delayMs = retryDelayMs(delivery.attempts + 1, { scheduleMs, retryAfterMs: outcome.retryAfterMs });
    if (delayMs === undefined) return { status: 'dead', body };
    return { status: 'pending', nextAttemptAt: clock() + delayMs, body };
  }

  #health(outcome: PostOutcome): EndpointHealth {
    if (outcome.result === 'delivered') return { kind: 'well' };
    if (outcome.httpStatus === 410) return { kind: 'gone' };
    if (outcome.error === 'RENDER_FAILED') return { kind: 'unknown' };
    return { kind: 'failing', disableAfterMs: this.#options.disableAfterMs };
  }

  async #giveBack(delivery: ClaimedDelivery): Promise<void> {
    await this.#options.queue.release(delivery).catch((error: unknown) => {
      this.#options.logger.warn({ err: error }, 'a delivery stays leased until its lease ends');
    });
  }
}

function notRendered(message: string): Failure {
  return { result: 'failed', error: 'RENDER_FAILED', message };
}
