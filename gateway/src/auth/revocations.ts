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
import type { Logger } from '@tidegate/runtime/telemetry';
import { RevocationList, revocationKey } from './revocation-list.ts';
import { MAX_TOKEN_AGE_MS, type TokenVerifier, type VerifiedViewer } from './token-verifier.ts';

export interface RevocationsOptions {
  readonly log: EventLog;
  readonly logger: Logger;
  /** How long a revocation counts: as long as the oldest token that is taken. As of the `TokenVerifier`. */
  readonly maxTokenAgeMs?: number;
  /** Most revocations at a time, about 200 bytes each. Default 100,000. */
  readonly maxRevocations?: number;
  readonly clock?: () => number;
}

const TOPIC = AccessRevoked.topic.name;
const READ_RECORDS = 1_000;
const SWEEP_EVERY_MS = 10 * 60 * 1000;

/**
 * Tokens that are refused before their end. The truth is a compacted topic of the event log that every replica
 * tails: what one writes counts on all of them, and on those that start later, which read it before they take
 * connections.
 */
export class Revocations {
  readonly list = new RevocationList();
  readonly #options: Required<RevocationsOptions>;
  readonly #parse = createMessageParser([AccessRevoked]);
  #tail: Tail | undefined;
  #sweep: NodeJS.Timeout | undefined;
  #failure: Error | undefined = new Error('the revocations have not been read yet');

  constructor(options: RevocationsOptions) {
    this.#options = {
      maxTokenAgeMs: MAX_TOKEN_AGE_MS,
      maxRevocations: 100_000,
      clock: Date.now,
      ...options,
    };
  }

  /** Resolves when everything that was revoked so far counts here. @throws TidegateError UNAVAILABLE */
  async start(): Promise<void> {
    // The gateway's start may be tried again because of something else.
    if (this.#tail) return;
    const { log, logger } = this.#options;
    await log.ensureTopics(topicSpecs([AccessRevoked.topic], 1));
    const positions = [];
    for (const { partition, start, end } of await log.ends(TOPIC)) {
      await this.#readAll(partition, start, end);
      positions.push({ topic: TOPIC, partition, offset: end });
    }
    this.#tail = await log.tail({
      topics: [TOPIC],
      from: { positions },
      onRecords: (records) => this.#take(records),
      onTrouble: (error) => logger.warn({ err: error }, 'revocations cannot be read at the moment'),
      onEnd: (error) => {
        this.#failure = error;
        logger.error({ err: error }, 'revocations are not read any more; this gateway is no longer ready');
      },
    });
    this.#failure = undefined;
    this.#sweep = setInterval(() => void this.sweep(), SWEEP_EVERY_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.#sweep);
    await this.#tail?.stop();
  }

  /** For `/readyz`. @throws Error while a token that was revoked elsewhere might be taken here. */
  check(): void {
    if (this.#failure) throw this.#failure;
  }

  /** The same verifier for tokens that nobody has revoked. */
  guard(verifier: TokenVerifier): TokenVerifier {
    return {
      verify: async (authorization) => {
        const viewer = await verifier.verify(authorization);
        this.refuseRevoked(viewer);
        return viewer;
      },
    };
  }

  /** @throws TidegateError UNAUTHENTICATED */
  refuseRevoked(viewer: VerifiedViewer): void {
    if (this.list.isRevoked(viewer))
      throw new TidegateError('UNAUTHENTICATED', 'The token has been revoked.');
  }

  /**
   * Revokes and resolves when it is durable and counts on this replica; the others follow as fast as their tails do.
   *
   * @throws TidegateError RATE_LIMITED when there are as many as may be; UNAVAILABLE when the log is away.
   */
  async revoke(access: RevokedAccess, by: string): Promise<{ until: string }> {
    const { log, clock, maxTokenAgeMs, maxRevocations } = this.#options;
    this.check();
    if (this.list.size >= maxRevocations) {
      throw new TidegateError('RATE_LIMITED', 'There are as many revocations as may be; revoke by subject.');
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
      this.#take(records);
      fromOffset = records.at(-1)!.offset + 1;
    }
  }

  #take(records: readonly LogRecord[]): void {
    for (const record of records) this.#takeOne(record);
  }

  #takeOne(record: LogRecord): void {
    const { clock, logger, maxRevocations } = this.#options;
    if (record.value === null) return this.list.delete(record.key);
    try {
      const message = this.#parse(record);
      if (!message) return;
      const untilMs = Date.parse(message.data.until);
      if (untilMs > clock()) this.list.add(message.data.access, untilMs);
    } catch (error) {
      logger.error({ err: error, offset: record.offset }, 'skipped a record that is not a revocation');
    }
    // Memory is bounded, and no revocation is dropped for it: better not ready than open to what was revoked.
    if (this.list.size > 2 * maxRevocations) this.#failure = new Error('there are too many revocations');
  }

  /**
   * Forgets what has outlived every token. A token's record is deleted from the topic as well; a subject's stays, as
   * somebody may just be revoking the same subject anew, and there is only one of each.
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
