import { TidegateError } from '@tidegate/core';
import type { Metrics } from '@tidegate/runtime/telemetry';
import type {
  ConsumeOptions,
  Consumption,
  EventLog,
  LogRecord,
  OutgoingRecord,
  PartitionEnds,
  PartitionLag,
  PartitionOffset,
  Position,
  ReadOptions,
  Tail,
  TailOptions,
  TopicSpec,
} from './event-log.ts';

/**
 * Returns the log with its errors counted in `tidegate_log_errors_total`, by operation and by the error's code. A group or
 * a tail recovers from its errors; they are counted too, the log's and its handlers'.
 *
 * @example
 * const log = measureEventLog(createKafkaEventLog({ brokers, clientId: 'bookings', logger }), metrics);
 */
export function measureEventLog(log: EventLog, metrics: Metrics): EventLog {
  const errors = metrics.counter({
    name: 'tidegate_log_errors_total',
    help: 'Errors of the event log, by operation and by code',
    labels: ['operation', 'code'],
  });
  return new MeasuredEventLog(log, (operation, error) => {
    errors.inc({ operation, code: error instanceof TidegateError ? error.code : 'INTERNAL' });
  });
}

type Count = (operation: keyof EventLog, error: unknown) => void;

class MeasuredEventLog implements EventLog {
  readonly #log: EventLog;
  readonly #count: Count;

  constructor(log: EventLog, count: Count) {
    this.#log = log;
    this.#count = count;
  }

  epoch(topic: string): Promise<string> {
    return this.#counting('epoch', this.#log.epoch(topic));
  }

  ensureTopics(topics: readonly TopicSpec[]): Promise<void> {
    return this.#counting('ensureTopics', this.#log.ensureTopics(topics));
  }

  append(topic: string, records: readonly OutgoingRecord[]): Promise<Position[]> {
    return this.#counting('append', this.#log.append(topic, records));
  }

  consume(options: ConsumeOptions): Promise<Consumption> {
    const onError = (error: Error): void => {
      this.#count('consume', error);
      options.onError?.(error);
    };
    return this.#counting('consume', this.#log.consume({ ...options, onError }));
  }

  tail(options: TailOptions): Promise<Tail> {
    const onTrouble = (error: Error): void => {
      this.#count('tail', error);
      options.onTrouble?.(error);
    };
    return this.#counting('tail', this.#log.tail({ ...options, onTrouble }));
  }

  read(options: ReadOptions): Promise<LogRecord[]> {
    return this.#counting('read', this.#log.read(options));
  }

  ends(topic: string): Promise<PartitionEnds[]> {
    return this.#counting('ends', this.#log.ends(topic));
  }

  offsetsAt(topic: string, timeMs: number): Promise<PartitionOffset[]> {
    return this.#counting('offsetsAt', this.#log.offsetsAt(topic, timeMs));
  }

  keptMs(topic: string): Promise<number | undefined> {
    return this.#counting('keptMs', this.#log.keptMs(topic));
  }

  lag(group: string, topic: string): Promise<PartitionLag[]> {
    return this.#counting('lag', this.#log.lag(group, topic));
  }

  ping(timeoutMs: number): Promise<void> {
    return this.#counting('ping', this.#log.ping(timeoutMs));
  }

  close(): Promise<void> {
    return this.#log.close();
  }

  async #counting<T>(operation: keyof EventLog, work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      this.#count(operation, error);
      throw error;
    }
  }
}
