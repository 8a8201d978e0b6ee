import { randomUUID } from 'node:crypto';
import { AccessRevoked, type RevokedAccess } from './access-revoked.ts';
import {
  createMessage,
  createMessageParser,
  encodeEnvelope,
  topicSpecs,
  TidegateError,
} from '@tidegate/core';
import type { EventLog, LogRecord, Tail } from '@tidegate/event-log';
import { retry } from '@tidegate/runtime/resilience';
import type { Logger } from '@tidegate/runtime/telemetry';
import { jwtRules } from './jwt-rules.ts';
import { RevocationList, revocationKey } from './revocation-list.ts';
import type { TokenVerifier, VerifiedViewer } from './token-verifier.ts';

export interface RevocationsOptions {
  readonly log: EventLog;
  readonly logger: Logger;
  /** Lifetime of a revocation in milliseconds: the maximum age of an accepted token. Default 30 days. */
  readonly maxTokenAgeMs?: number;
  /** Maximum number of revocations, about 200 bytes each. Default 100,000. */
  readonly maxRevocations?: number;
  readonly clock?: () => number;
  /** Called after a revocation became known here, from this replica or another. Default: nothing is called. */
  readonly onRevoked?: () => void;
}

const TOPIC = AccessRevoked.topic.name;
const READ_RECORDS = 1_000;
const RESTART = { firstMs: 200, maxMs: 5_000 };
const SWEEP_INTERVAL_MS = 10 * 60 * 1000;

/**
 * Refuses tokens that were revoked before they expire. The truth is a compacted topic of the event log: every replica
 * reads it before it takes connections, and tails it from then on.
 */
export class Revocations {
  readonly list = new RevocationList();
  readonly #options: Required<RevocationsOptions>;
  readonly #parse = createMessageParser([AccessRevoked]);
  #tail: Tail | undefined;
  #sweepTimer: NodeJS.Timeout | undefined;
  #failure: Error | undefined = new Error('the revocations have not been read yet');
  readonly #stopping = new AbortController();

  constructor(options: RevocationsOptions) {
    this.#options = {
      maxTokenAgeMs: jwtRules.maxTokenAgeMs,
      maxRevocations: 100_000,
      clock: Date.now,
      onRevoked: () => undefined,
      ...options,
    };
  }

  /** Resolves when all revocations so far are known here. @throws TidegateError UNAVAILABLE when the log is away. */
  async start(): Promise<void> {
    // The gateway retries its whole start; this part may have succeeded before.
    if (this.#sweepTimer) return;
    await this.#follow();
    this.#sweepTimer = setInterval(() => void this.sweep(), SWEEP_INTERVAL_MS);
  }

  /** Reads the topic from its start, then tails it. */
  async #follow(): Promise<void> {
    const { log, logger } = this.#options;
    await log.ensureTopics(topicSpecs([AccessRevoked.topic], 1));
    const positions = [];
    for (const { partition, start, end } of await log.ends(TOPIC)) {
      await this.#readAll(partition, start, end);
      positions.push({ topic: TOPIC, partition, offset: end });
    }
    let isEnded = false;
    this.#tail = await log.tail({
      topics: [TOPIC],
      from: { positions },
      onRecords: (records) => this.#applyAll(records),
      onTrouble: (error) => logger.warn({ err: error }, 'revocations cannot be read at the moment'),
      onEnd: (error) => {
        isEnded = true;
        void this.#followAgain(error);
      },
    });
    if (!isEnded) this.#failure = undefined;
    if (this.#stopping.signal.aborted) await this.#tail.stop();
  }

  /** Reads the topic again after its tail has ended: revocations may have been missed. Never rejects. */
  async #followAgain(error: Error): Promise<void> {
    const { logger } = this.#options;
    const { signal } = this.#stopping;
    this.#failure = error;
    logger.error(
      { err: error },
      'revocations are not read at the moment; not ready until they are read again',
    );
    const onRetry = (err: unknown): void => logger.warn({ err }, 'revocations cannot be read yet');
    try {
      await retry(() => this.#follow(), { ...RESTART, attempts: Infinity, signal, onRetry });
      logger.info({}, 'revocations are read again');
    } catch {
      // Stopped meanwhile.
    }
  }

  async stop(): Promise<void> {
    clearInterval(this.#sweepTimer);
    this.#stopping.abort();
    await this.#tail?.stop();
  }

  /** For `/readyz`. @throws Error while this replica might accept a token that was revoked on another one. */
  check(): void {
    if (this.#failure) throw this.#failure;
    // Memory is bounded, but no revocation is evicted: the replica stops being ready instead of accepting the token.
    if (this.list.size > 2 * this.#options.maxRevocations) throw new Error('there are too many revocations');
  }

  /** Returns the same verifier, which refuses revoked tokens too. */
  guard(verifier: TokenVerifier): TokenVerifier {
    return {
      verify: async (authorization) => {
        const viewer = await verifier.verify(authorization);
        this.refuseRevoked(viewer);
        return viewer;
      },
    };
  }

  /** @throws TidegateError UNAUTHENTICATED when the viewer's token is revoked. */
  refuseRevoked(viewer: VerifiedViewer): void {
    if (this.list.isRevoked(viewer))
      throw new TidegateError('UNAUTHENTICATED', 'The token has been revoked.');
  }

  /**
   * Revokes access. Resolves when the revocation is durable and known on this replica; the other replicas follow as
   * fast as they tail.
   *
   * @throws TidegateError RATE_LIMITED at the maximum number of revocations, UNAVAILABLE when the log is away.
   */
  async revoke(access: RevokedAccess, by: string): Promise<{ until: string }> {
    const { log, clock, maxTokenAgeMs, maxRevocations } = this.#options;
    this.check();
    if (this.list.size >= maxRevocations) {
      throw new TidegateError('RATE_LIMITED', 'There are as many revocations as may be; revoke by subject.', {
        details: { retryAfterMs: SWEEP_INTERVAL_MS },
      });
    }
    const nowMs = clock();
    const until = new Date(nowMs + maxTokenAgeMs).toISOString();
    const message = createMessage(AccessRevoked, {
      id: randomUUID(),
      key: revocationKey(access),
      sequence: 1,
      timeMs: nowMs,
      data: { access, until, by },
    });
    await log.append(TOPIC, [encodeEnvelope(message)]);
    this.list.add(access, nowMs + maxTokenAgeMs);
    return { until };
  }

  async #readAll(partition: number, start: number, end: number): Promise<void> {
    for (let fromOffset = start; fromOffset < end;) {
      const range = { topic: TOPIC, partition, fromOffset, toOffset: end, maxRecords: READ_RECORDS };
      const records = await this.#options.log.read(range);
      if (records.length === 0) return;
      this.#applyAll(records);
      fromOffset = records.at(-1)!.offset + 1;
    }
  }

  #applyAll(records: readonly LogRecord[]): void {
    for (const record of records) this.#apply(record);
  }

  #apply(record: LogRecord): void {
    const { clock, logger } = this.#options;
    if (record.value === null) return this.list.delete(record.key);
    try {
      const message = this.#parse(record);
      if (!message) return;
      const untilMs = Date.parse(message.data.until);
      if (untilMs <= clock()) return;
      this.list.add(message.data.access, untilMs);
      this.#options.onRevoked();
    } catch (error) {
      logger.error({ err: error, offset: record.offset }, 'skipped a record that is not a revocation');
    }
  }

  /**
   * Deletes revocations that have outlived every token. The record of a token gets a tombstone on the topic as well.
   * The record of a subject does not: another replica may be appending a newer revocation under the same key.
   */
  async sweep(): Promise<void> {
    const expired = this.list.expired(this.#options.clock());
    for (const key of expired) this.list.delete(key);
    const tombstones = expired
      .filter((key) => key.startsWith('token:'))
      .map((key) => ({ key, value: null, headers: {} }));
    if (tombstones.length === 0) return;
    try {
      await this.#options.log.append(TOPIC, tombstones);
    } catch (error) {
      this.#options.logger.debug({ err: error }, 'revocations that have ended could not be deleted');
    }
  }
}
