import { deadLetterTopic, redrivenTopic, TidegateError } from '@tidegate/core';
import type { EventLog, LogRecord } from '@tidegate/event-log';
import { originalHeaders } from './redriven-record.ts';

/** A dead letter as it lies in the log. */
export interface StoredDeadLetter {
  /** Partition and offset in the topic of the dead letters, as `2/17`. */
  readonly id: string;
  /** Epoch milliseconds. */
  readonly atMs: number;
  /** Consumer group, or `outbox/` and the relay's name. */
  readonly group: string;
  /** Topic of the record. */
  readonly topic: string;
  /** Partition and offset of the record; undefined for one that never got into the log. */
  readonly position: string | undefined;
  readonly key: string;
  readonly reason: string;
  /** Size of the record in bytes when the letter holds its beginning only. */
  readonly truncatedBytes: number | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly value: Buffer | null;
  readonly state: DeadLetterState;
}

export type DeadLetterState = 'open' | 'redriven' | 'discarded';

const PAGE_RECORDS = 500;
const OUTBOX = 'outbox/';

/**
 * The dead letters of a log, for an operator. A letter stays in its topic until retention deletes it; its end,
 * redriven or discarded, is a further record of that topic.
 *
 * @example
 * const box = new DeadLetterBox(log);
 * for await (const letter of box.letters()) if (letter.state === 'open') await box.redrive(letter);
 */
export class DeadLetterBox {
  readonly #log: EventLog;

  constructor(log: EventLog) {
    this.#log = log;
  }

  /** Returns all letters, by partition and offset. @throws TidegateError NOT_FOUND when the log has no dead letters. */
  async *letters(): AsyncGenerator<StoredDeadLetter> {
    const states = new Map<string, DeadLetterState>();
    for await (const record of this.#records()) {
      const id = record.headers['dl_resolves'];
      if (id !== undefined) states.set(id, record.headers['dl_resolution'] as DeadLetterState);
    }
    for await (const record of this.#records()) {
      if (record.headers['dl_resolves'] === undefined)
        yield storedLetter(record, states.get(idOf(record)) ?? 'open');
    }
  }

  /**
   * Sends a letter to its consumer group again, and to no other. The record of a relay, which never got into the log, is
   * appended to its topic.
   *
   * Repeating it is safe: the group drops a message that it has handled.
   *
   * @throws TidegateError BAD_REQUEST for a letter that holds a part of its record only, PAYLOAD_TOO_LARGE when the log
   *   still refuses it.
   */
  async redrive(letter: StoredDeadLetter): Promise<void> {
    const { id, key, value, headers, group, topic, truncatedBytes } = letter;
    if (truncatedBytes !== undefined) {
      const size = `holds a part of a record of ${truncatedBytes} bytes only`;
      throw new TidegateError('BAD_REQUEST', `the dead letter ${id} ${size}; publish it from its source`);
    }
    if (group.startsWith(OUTBOX))
      await this.#log.append(topic, [{ key, value, headers: originalHeaders(headers) }]);
    else await this.#log.append(redrivenTopic.name, [{ key, value, headers }]);
    await this.#resolve(letter, 'redriven');
  }

  /** Marks a letter as one that nobody needs. */
  discard(letter: StoredDeadLetter): Promise<void> {
    return this.#resolve(letter, 'discarded');
  }

  async #resolve({ id, key }: StoredDeadLetter, state: DeadLetterState): Promise<void> {
    const headers = { dl_resolves: id, dl_resolution: state };
    await this.#log.append(deadLetterTopic.name, [{ key, value: null, headers }]);
  }

  async *#records(): AsyncGenerator<LogRecord> {
    const topic = deadLetterTopic.name;
    for (const { partition, start, end } of await this.#log.ends(topic)) {
      for (let fromOffset = start; fromOffset < end;) {
        const range = { topic, partition, fromOffset, toOffset: end, maxRecords: PAGE_RECORDS };
        const page = await this.#log.read(range);
        yield* page;
        fromOffset = (page.at(-1)?.offset ?? end) + 1;
      }
    }
  }
}

function storedLetter(record: LogRecord, state: DeadLetterState): StoredDeadLetter {
  const { headers, key, value, timestampMs } = record;
  const { dl_partition: partition, dl_offset: offset, dl_truncated: truncated } = headers;
  return {
    id: idOf(record),
    atMs: timestampMs,
    group: headers['dl_group'] ?? '',
    topic: headers['dl_topic'] ?? '',
    position: partition === undefined || offset === undefined ? undefined : `${partition}/${offset}`,
    key,
    reason: headers['dl_reason'] ?? '',
    truncatedBytes: truncated === undefined ? undefined : Number(truncated),
    headers,
    value,
    state,
  };
}

function idOf({ partition, offset }: LogRecord): string {
  return `${partition}/${offset}`;
}
