import { TidegateError } from '@tidegate/core';
import type { EventLog, OutgoingRecord } from '@tidegate/event-log';
import { delay } from '@tidegate/runtime/resilience';
import { findPublished } from '../../packages/messaging/src/relay/find-published.ts';
import type { ForeignWay } from './brokers/trouble.ts';
import { KEYS, itemOf, itemRecord, type defineItemChanged, type Item } from './item-bff.ts';

/** First occurrence of a change in the log. Excludes repeats and malformed records. */
export interface Published {
  readonly key: string;
  readonly version: number;
}

export interface RelayOptions {
  /** Publishes the end of the batch again, like a relay that died between publish and mark. */
  readonly twice: boolean;
  /** Kind of the malformed record appended after the batch; 0 for none. */
  readonly malformed: number;
  /** How a producer of another system publishes the batch. Default: the writer's log does. */
  readonly foreign?: ForeignWay | undefined;
}

/** A producer of another system. */
export interface ForeignAppend {
  /** Appends the records, and beside them some that nobody may receive. */
  append(
    way: ForeignWay,
    records: readonly OutgoingRecord[],
    never: readonly OutgoingRecord[],
  ): Promise<void>;
}

/**
 * The write side, and the facts that the oracle checks against. Items are committed first, which snapshots read, and
 * their changes are published later, so a snapshot may be ahead of the log.
 */
export class ItemWriter {
  readonly #log: EventLog;
  readonly #definition: ReturnType<typeof defineItemChanged>;
  readonly #foreign: ForeignAppend | undefined;
  readonly #committed = new Map<string, Item>();
  readonly #acknowledged = new Map<string, number>();
  readonly #published: Published[] = [];
  #pending: Item[] = [];
  #appends: Promise<void> = Promise.resolve();

  constructor(log: EventLog, definition: ReturnType<typeof defineItemChanged>, foreign?: ForeignAppend) {
    this.#log = log;
    this.#foreign = foreign;
    this.#definition = definition;
    this.commit(KEYS);
  }

  /** Changes in the order of their appends. The newest may not be durable yet. */
  get published(): readonly Published[] {
    return this.#published;
  }

  committed(key: string): Item | undefined {
    return this.#committed.get(key);
  }

  /** Newest version of a key that is durable in the log; 0 for none. */
  acknowledged(key: string): number {
    return this.#acknowledged.get(key) ?? 0;
  }

  commit(keys: readonly string[], padBytes = 0): void {
    for (const key of keys) {
      const item = itemOf(key, (this.#committed.get(key)?.version ?? 0) + 1, padBytes);
      this.#committed.set(key, item);
      this.#pending.push(item);
    }
  }

  /** Publishes the committed but unpublished items, after earlier relays. Rejects with the error of `append`. */
  relay({ twice, malformed, foreign: way }: RelayOptions): Promise<void> {
    const batch = this.#pending;
    this.#pending = [];
    this.#appends = this.#appends.then(async () => {
      await this.#publish(batch, way);
      const foreign = malformed > 0 ? malformedRecord(this.#definition, malformed) : undefined;
      if (foreign) await this.#appendRecords([foreign]);
      // Within a replica's small history: in production a repeat is close to its original as well.
      if (twice && batch.length > 0) await this.#append(batch.slice(-MAX_REPEATED));
    });
    return this.#appends;
  }

  /** Resolves when every relayed item is durable. */
  settled(): Promise<void> {
    return this.#appends;
  }

  async #publish(batch: readonly Item[], way?: ForeignWay): Promise<void> {
    if (batch.length === 0) return;
    this.#published.push(...batch.map(({ key, version }) => ({ key, version })));
    await this.#append(batch, way);
    for (const { key, version } of batch) this.#acknowledged.set(key, version);
  }

  #append(batch: readonly Item[], way?: ForeignWay): Promise<void> {
    const records = batch.map((item) => itemRecord(this.#definition, item));
    return this.#appendRecords(records, way);
  }

  /** Repeats a failed append without the records that are in the log, as a relay does. */
  async #appendRecords(records: readonly OutgoingRecord[], way?: ForeignWay): Promise<void> {
    const topic = this.#definition.topic.name;
    const deadline = Date.now() + APPEND_WITHIN_MS;
    let missing = records;
    for (let attempt = 1; missing.length > 0; attempt++) {
      try {
        if (way && attempt === 1) await this.#foreign!.append(way, missing, this.#neverCommitted());
        else await this.#log.append(topic, missing);
        return;
      } catch (error) {
        const isAway = error instanceof TidegateError && error.code === 'UNAVAILABLE';
        if (!isAway || Date.now() > deadline) throw error;
        await delay(100);
        missing = await this.#notInLog(missing).catch(() => missing);
      }
    }
  }

  async #notInLog(records: readonly OutgoingRecord[]): Promise<readonly OutgoingRecord[]> {
    const topic = this.#definition.topic.name;
    const rows = records.map(({ key, headers }, id) => ({
      ...{ id, topic, key, headers },
      value: '',
      createdAt: Date.now() - APPEND_WITHIN_MS,
    }));
    const found = new Set((await findPublished(this.#log, topic, rows)).map(({ id }) => id));
    return records.filter((_, id) => !found.has(id));
  }

  /** Changes far ahead of every committed one. No client may receive one. */
  #neverCommitted(): OutgoingRecord[] {
    return KEYS.map((key) => itemRecord(this.#definition, itemOf(key, 1_000_000)));
  }
}

/** A broker that is away is back long before. */
const APPEND_WITHIN_MS = 60_000;

/** Maximum items of a repeated batch. */
const MAX_REPEATED = 5;

export const MALFORMED_KINDS = 6;

/** Creates a record that no subscriber must receive, or that must be skipped. */
function malformedRecord(
  definition: ReturnType<typeof defineItemChanged>,
  kind: number,
): OutgoingRecord | undefined {
  const key = KEYS[kind % KEYS.length]!;
  const good = itemRecord(definition, itemOf(key, 1_000_000));
  switch (kind) {
    case 1:
      return { key, value: Buffer.from('{'), headers: {} };
    case 2:
      return { ...good, value: Buffer.from('{"half":') };
    case 3:
      return { ...good, value: Buffer.from('{"key":7}') };
    case 4:
      return { key, value: null, headers: {} };
    case 5:
      return { ...good, key: `not ${key}` };
    case 6:
      return { ...good, headers: { ...good.headers, ce_type: 'tidegate.other.SomethingElse' } };
    default:
      return undefined;
  }
}
