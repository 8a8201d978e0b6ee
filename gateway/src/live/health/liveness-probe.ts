import { randomUUID } from 'node:crypto';
import { defineLiveField, defineLiveStream } from '@tidegate/bff';
import { createMessage, encodeEnvelope, TidegateError, topicSpecs } from '@tidegate/core';
import type { EventLog } from '@tidegate/event-log';
import { withDeadline } from '@tidegate/runtime/resilience';
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
  /** Time in milliseconds after which an unanswered append is given up. Default 30,000. */
  readonly appendDeadlineMs?: number;
}

/** A subscription, and the key that its probes are appended under. */
interface ProbeRun {
  readonly instanceId: string;
  subscription?: LiveSubscription;
  isEnded: boolean;
  /** Number of appended probes, which is the version of the newest one. */
  appended: number;
}

const scope = { id: 'canary', viewer: { role: 'anonymous' as const, id: '' }, sees: () => true };

/**
 * Appends a record to the log every few seconds and receives it on its own subscription, by the path of every client's
 * changes: log, tail, index, group, sink. Readiness fails when no changes flow, even if every component looks healthy.
 *
 * It recovers from any outage by itself. A version is counted once it is appended, and one append is in flight at a
 * time: a failed append is repeated under the same version, so no gap ends the subscription. When the subscription ends
 * nevertheless, or an append is not answered, the probe goes on with a new subscription under a new key.
 */
export class LivenessProbe {
  readonly #options: Required<LivenessProbeOptions>;
  #timer: NodeJS.Timeout | undefined;
  #run: ProbeRun | undefined;
  #isAppending = false;
  #receivedAtMs = 0;
  #failure: unknown;

  constructor(options: LivenessProbeOptions) {
    const { everyMs = 5_000, silentMs = 3 * everyMs, appendDeadlineMs = 30_000 } = options;
    this.#options = { ...options, everyMs, silentMs, appendDeadlineMs };
  }

  /** Creates the topic. Must be called before the hub starts. */
  async prepare(): Promise<void> {
    await this.#options.log.ensureTopics(topicSpecs([LivenessProbed.topic], 1));
  }

  /** Subscribes and starts probing. Must be called after the hub has started. */
  start(): void {
    this.#receivedAtMs = performance.now();
    this.#timer = setInterval(() => void this.#probe(), this.#options.everyMs);
    void this.#probe();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#end();
  }

  /** @throws Error when no probe was received for `silentMs`; its cause is the last error of the append. */
  check(): void {
    const silentMs = performance.now() - this.#receivedAtMs;
    if (silentMs <= this.#options.silentMs) return;
    throw new Error(`no change has come through for ${Math.round(silentMs)} ms`, { cause: this.#failure });
  }

  #end(): void {
    this.#run?.subscription?.stop();
    this.#run = undefined;
  }

  #subscribe(): ProbeRun {
    const instanceId = randomUUID();
    const run: ProbeRun = { instanceId, isEnded: false, appended: 0 };
    const field = defineLiveField<Record<string, never>, { instanceId: string }, unknown>({
      stream: livenessStream,
      authorise: () => scope,
      term: () => `id:${instanceId}`,
      key: () => instanceId,
      overflow: 'latest-per-key',
    });
    const onEnd = (error?: unknown): void => {
      this.#options.logger.debug(
        { err: error },
        'the subscription of the liveness probe has ended; it subscribes again',
      );
      run.isEnded = true;
    };
    run.subscription = this.#options.hub.subscribe(
      { field, args: {}, scope, fingerprint: `canary ${instanceId}`, render: () => ({ data: {} }) },
      {
        deliver: () => {
          this.#receivedAtMs = performance.now();
        },
        complete: onEnd,
        fail: onEnd,
      },
    );
    return run;
  }

  async #probe(): Promise<void> {
    if (this.#isAppending) return;
    this.#isAppending = true;
    const run = !this.#run || this.#run.isEnded ? this.#subscribe() : this.#run;
    this.#run = run;
    try {
      await this.#append(run);
      run.appended += 1;
      this.#failure = undefined;
    } catch (error) {
      this.#failure = error;
    }
    this.#isAppending = false;
  }

  async #append({ instanceId, appended }: ProbeRun): Promise<void> {
    const { log, appendDeadlineMs } = this.#options;
    const message = createMessage(LivenessProbed, {
      id: `canary/${instanceId}@${appended + 1}`,
      key: instanceId,
      sequence: appended + 1,
      timeMs: Date.now(),
      data: { instanceId },
    });
    const append = log.append(LivenessProbed.topic.name, [encodeEnvelope(message)]);
    try {
      await withDeadline(appendDeadlineMs, undefined, () => append);
    } catch (error) {
      // It may still be appended, after others: under a key that nothing else is appended under.
      if (error instanceof TidegateError && error.code === 'DEADLINE_EXCEEDED') this.#end();
      throw error;
    }
  }
}
