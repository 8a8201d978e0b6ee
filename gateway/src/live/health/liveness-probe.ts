import { randomUUID } from 'node:crypto';
import { defineLiveField, defineLiveStream } from '@tidegate/bff';
import { LivenessProbed } from './liveness-probed.ts';
import { createMessage, encodeEnvelope, topicSpecs } from '@tidegate/core';
import type { EventLog } from '@tidegate/event-log';
import type { Logger } from '@tidegate/runtime/telemetry';
import type { LiveHub } from '../hub.ts';
import type { LiveSubscription } from '../live-request.ts';

export const livenessStream = defineLiveStream<{ instanceId: string }>({
  name: 'canary',
  definition: LivenessProbed,
  terms: ({ instanceId }) => [`id:${instanceId}`],
});

export interface LivenessProbeOptions {
  readonly hub: LiveHub;
  readonly log: EventLog;
  readonly logger: Logger;
  /** How often a record is written. Default 5 s. */
  readonly everyMs?: number;
  /** Not ready when none came out for so long. Default three times `everyMs`. */
  readonly silentMs?: number;
}

const scope = { id: 'canary', viewer: { role: 'anonymous' as const, id: '' }, sees: () => true };

/**
 * Writes a record to the log every few seconds and waits for it on a subscription of its own, the way any client's
 * change comes: log, tail, index, group, sink. Health cannot be green while nothing flows.
 */
export class LivenessProbe {
  readonly #options: Required<LivenessProbeOptions>;
  readonly #instanceId = randomUUID();
  #timer: NodeJS.Timeout | undefined;
  #subscription: LiveSubscription | undefined;
  #sung = 0;
  #heardAt = 0;
  #failure: unknown;

  constructor(options: LivenessProbeOptions) {
    const { everyMs = 5_000, silentMs = 3 * everyMs } = options;
    this.#options = { ...options, everyMs, silentMs };
  }

  /** Creates its topic. To be called before the hub starts to tail. */
  async prepare(): Promise<void> {
    await this.#options.log.ensureTopics(topicSpecs([LivenessProbed.topic], 1));
  }

  /** To be called when the hub has started. */
  start(): void {
    this.#heardAt = Date.now();
    this.#listen();
    this.#timer = setInterval(() => void this.#sing(), this.#options.everyMs);
    void this.#sing();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#subscription?.stop();
  }

  /** @throws Error when nothing came out of the subscription for too long, with what went wrong at writing. */
  check(): void {
    const silentMs = Date.now() - this.#heardAt;
    if (silentMs <= this.#options.silentMs) return;
    throw new Error(`no change has come through for ${silentMs} ms`, { cause: this.#failure });
  }

  #listen(): void {
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
          this.#heardAt = Date.now();
        },
        complete: () => undefined,
        fail: (error) => this.#options.logger.debug({ err: error }, 'the canary’s subscription has ended'),
      },
    );
  }

  async #sing(): Promise<void> {
    this.#sung += 1;
    const message = createMessage(LivenessProbed, {
      id: `canary/${this.#instanceId}@${this.#sung}`,
      key: this.#instanceId,
      sequence: this.#sung,
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
