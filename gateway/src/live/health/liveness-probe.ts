import { randomUUID } from 'node:crypto';
import { defineLiveField, defineLiveStream } from '@tidegate/bff';
import { createMessage, encodeEnvelope, topicSpecs } from '@tidegate/core';
import type { EventLog } from '@tidegate/event-log';
import type { Logger } from '@tidegate/runtime/telemetry';
import type { LiveHub } from '../hub.ts';
import type { LiveSubscription } from '../live-request.ts';
import { LivenessProbed } from './liveness-probed.ts';

export const livenessStream = defineLiveStream<{ instanceId: string }>({
  name: 'canary',
  definition: LivenessProbed,
  terms: ({ instanceId }) => [`id:${instanceId}`],
});

export interface LivenessProbeOptions {
  readonly hub: LiveHub;
  readonly log: EventLog;
  readonly logger: Logger;
  /** Interval of the probe records in milliseconds. Default 5,000. */
  readonly everyMs?: number;
  /** Maximum time without a received probe in milliseconds. Default three times `everyMs`. */
  readonly silentMs?: number;
}

const scope = { id: 'canary', viewer: { role: 'anonymous' as const, id: '' }, sees: () => true };

/**
 * Appends a record to the log every few seconds and receives it on its own subscription, by the path of every client's
 * changes: log, tail, index, group, sink. Readiness fails when no changes flow, even if every component looks healthy.
 */
export class LivenessProbe {
  readonly #options: Required<LivenessProbeOptions>;
  readonly #instanceId = randomUUID();
  #timer: NodeJS.Timeout | undefined;
  #subscription: LiveSubscription | undefined;
  #probes = 0;
  #receivedAtMs = 0;
  #failure: unknown;

  constructor(options: LivenessProbeOptions) {
    const { everyMs = 5_000, silentMs = 3 * everyMs } = options;
    this.#options = { ...options, everyMs, silentMs };
  }

  /** Creates the topic. Must be called before the hub starts. */
  async prepare(): Promise<void> {
    await this.#options.log.ensureTopics(topicSpecs([LivenessProbed.topic], 1));
  }

  /** Subscribes and starts probing. Must be called after the hub has started. */
  start(): void {
    this.#receivedAtMs = Date.now();
    this.#subscribe();
    this.#timer = setInterval(() => void this.#probe(), this.#options.everyMs);
    void this.#probe();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#subscription?.stop();
  }

  /** @throws Error when no probe was received for `silentMs`; its cause is the last error of the append. */
  check(): void {
    const silentMs = Date.now() - this.#receivedAtMs;
    if (silentMs <= this.#options.silentMs) return;
    throw new Error(`no change has come through for ${silentMs} ms`, { cause: this.#failure });
  }

  #subscribe(): void {
    const field = defineLiveField<Record<string, never>, { instanceId: string }, unknown>({
      stream: livenessStream,
      authorise: () => scope,
      term: () => `id:${this.#instanceId}`,
      key: () => this.#instanceId,
      overflow: 'latest-per-key',
    });
    const fingerprint = `canary ${this.#instanceId}`;
    this.#subscription = this.#options.hub.subscribe(
      { field, args: {}, scope, fingerprint, render: () => ({ data: {} }) },
      {
        deliver: () => {
          this.#receivedAtMs = Date.now();
        },
        complete: () => undefined,
        fail: (error) =>
          this.#options.logger.debug({ err: error }, 'the subscription of the liveness probe has ended'),
      },
    );
  }

  async #probe(): Promise<void> {
    this.#probes += 1;
    const message = createMessage(LivenessProbed, {
      id: `canary/${this.#instanceId}@${this.#probes}`,
      key: this.#instanceId,
      sequence: this.#probes,
      timeMs: Date.now(),
      data: { instanceId: this.#instanceId },
    });
    try {
      await this.#options.log.append(LivenessProbed.topic.name, [encodeEnvelope(message)]);
      this.#failure = undefined;
    } catch (error) {
      this.#failure = error;
    }
  }
}
