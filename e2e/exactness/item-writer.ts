import type { EventLog, OutgoingRecord } from '@tidegate/event-log';
import { KEYS, itemOf, itemRecord, type defineItemChanged, type Item } from './item-bff.ts';

/** One change as it stands in the log for the first time; repeats and malformed records are not among them. */
export interface Published {
  readonly key: string;
  readonly version: number;
}

export interface RelayOptions {
  /** The relay died between publish and mark: the whole batch comes again. */
  readonly twice: boolean;
  /** Which malformed record goes in between; 0 for none. */
  readonly malformed: number;
}

/**
 * The write side, and what the oracle knows: items are committed (that is what a snapshot reads), and their changes
 * are published afterwards, so that a snapshot may be ahead of the log.
 */
export class ItemWriter {
  readonly #log: EventLog;
  readonly #definition: ReturnType<typeof defineItemChanged>;
  readonly #committed = new Map<string, Item>();
  readonly #acknowledged = new Map<string, number>();
  readonly #published: Published[] = [];
  #pending: Item[] = [];
  #appends: Promise<void> = Promise.resolve();

  constructor(log: EventLog, definition: ReturnType<typeof defineItemChanged>) {
    this.#log = log;
    this.#definition = definition;
    this.commit(KEYS);
  }

  /** In the order in which their append began; what is in here may not be durable yet. */
  get published(): readonly Published[] {
    return this.#published;
  }

  committed(key: string): Item | undefined {
    return this.#committed.get(key);
  }

  /** The newest version of a key that is in the log for certain; 0 for none. */
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

  /** Publishes what is committed and not published, after all that was relayed before. Rejects as `append` does. */
  relay({ twice, malformed }: RelayOptions): Promise<void> {
    const batch = this.#pending;
    this.#pending = [];
    this.#appends = this.#appends.then(async () => {
      await this.#append(batch);
      const foreign = malformed > 0 ? malformedRecord(this.#definition, malformed) : undefined;
      if (foreign) await this.#log.append(this.#definition.topic.name, [foreign]);
      // No further back than a replica's small history remembers: in production a repeat is as near to its original.
      if (twice && batch.length > 0) await this.#send(batch.slice(-MAX_REPEATED));
    });
    return this.#appends;
  }

  /** Resolves when everything relayed is durable. */
  settled(): Promise<void> {
    return this.#appends;
  }

  async #append(batch: readonly Item[]): Promise<void> {
    if (batch.length === 0) return;
    this.#published.push(...batch.map(({ key, version }) => ({ key, version })));
    await this.#send(batch);
    for (const { key, version } of batch) this.#acknowledged.set(key, version);
  }

  async #send(batch: readonly Item[]): Promise<void> {
    const records = batch.map((item) => itemRecord(this.#definition, item));
    await this.#log.append(this.#definition.topic.name, records);
  }
}

const MAX_REPEATED = 5;

export const MALFORMED_KINDS = 6;

/** What else may stand on a document topic: none of it concerns any subscriber. */
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
