import { createKafkaEventLog } from '@tidegate/event-log/kafka';
import { delay } from '@tidegate/runtime/resilience';
import { silentLogger } from '@tidegate/runtime/telemetry';
import { until } from '@tidegate/testing';
import {
  startThreeBrokers,
  type BrokerId,
  type ThreeBrokers,
} from '../../../packages/event-log/src/kafka/three-brokers.fixture.ts';
import type { BrokerTrouble } from './trouble.ts';

/** Three brokers, one of which at a time is frozen or restarted while a script goes on. */
export class TroubledBrokers implements AsyncDisposable {
  readonly addresses: readonly string[];
  readonly #brokers: ThreeBrokers;
  #trouble: Promise<void> | undefined;

  /** @param libs folder with Kafka's jars. */
  static async start(libs: string): Promise<TroubledBrokers> {
    const brokers = new TroubledBrokers(await startThreeBrokers(libs));
    await brokers.#untilAllTakePart();
    return brokers;
  }

  private constructor(brokers: ThreeBrokers) {
    this.#brokers = brokers;
    this.addresses = brokers.addresses;
  }

  /** Begins the trouble, unless there is some. Returns whether it does. */
  begin(trouble: BrokerTrouble): boolean {
    if (this.#trouble) return false;
    this.#trouble = this.#play(trouble).finally(() => (this.#trouble = undefined));
    return true;
  }

  /** Resolves when every broker runs. */
  async calm(): Promise<void> {
    await this.#trouble;
  }

  /** A topic on three brokers can be created once all have joined. */
  async #untilAllTakePart(): Promise<void> {
    const brokers = [...this.addresses];
    const log = createKafkaEventLog({
      ...{ brokers, clientId: 'exactness', replicationFactor: 3 },
      logger: silentLogger,
    });
    const topic = { name: 'joined', partitions: 1, cleanup: 'delete', retentionMs: HOUR_MS } as const;
    const joined = (): Promise<boolean> => log.ensureTopics([topic]).then(() => true);
    await until(joined, { what: 'three brokers', timeoutMs: 60_000, everyMs: 250 });
    await log.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#trouble;
    await this.#brokers[Symbol.asyncDispose]();
  }

  /** A restarted broker gives its partitions to others, and gets them back some seconds later. */
  async #play({ broker, way, ms }: BrokerTrouble): Promise<void> {
    const id = broker as BrokerId;
    if (way === 'freeze') {
      this.#brokers.freeze(id);
      await delay(ms);
      this.#brokers.thaw(id);
      return;
    }
    await this.#brokers.stop(id, way === 'kill' ? 'SIGKILL' : 'SIGTERM');
    await delay(ms);
    this.#brokers.start(id);
    // Until it has caught up, the trouble of another broker would stop the partitions for good.
    await delay(RESTART_MS);
  }
}

const HOUR_MS = 3_600_000;
/** From the start of a broker until it is in sync. */
const RESTART_MS = 8_000;
