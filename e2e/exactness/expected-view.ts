import type { OverflowPolicy } from '@tidegate/bff';
import { partitionFor } from '@tidegate/event-log';
import { MissingCount } from './missing-count.ts';
import { fieldName, itemId, itemOf, KEYS, ownerOf, PARTITIONS, type ItemField } from './item-bff.ts';
import type { ItemWriter } from './item-writer.ts';

export interface OperationSpec {
  readonly field: ItemField;
  /** Only `item` can have `snapshot`. */
  readonly overflow: OverflowPolicy;
  /** Key of `item` and `itemChanges`; `owned` uses the key's owner. */
  readonly key: string;
  /** True when the selection makes the execution asynchronous. */
  readonly slow: boolean;
}

/** Payload of a `next` message. */
export interface Payload {
  readonly data?: Record<string, { key: string; version: number; text: string }> | null;
  readonly errors?: readonly unknown[];
  readonly extensions?: {
    readonly cursor: string;
    readonly kind: string;
    readonly key: string;
    readonly version: number;
    readonly id?: string;
    readonly dropped?: number;
  };
}

/** A client's messages differ from the oracle's. */
export class ExactnessViolation extends Error {
  override readonly name = 'ExactnessViolation';
}

/**
 * The oracle of one subscription over all its connections. Checks each message that the client receives and knows
 * which messages must still come. Where the field's policy allows dropped messages, the numbers of dropped messages
 * that the client was told must match the missing ones exactly.
 */
export class ExpectedView {
  readonly #spec: OperationSpec;
  readonly #writer: ItemWriter;
  /** Index into `published` when the client was created: earlier changes are not owed to it. */
  readonly #origin: number;
  readonly #first = new Map<string, number>();
  readonly #last = new Map<string, number>();
  readonly #count = new MissingCount();
  /** Everything in `published` from this index on must come; undefined until the client holds a cursor. */
  #owedFrom: number | undefined;
  /** Oldest version that a snapshot may have. */
  #snapshotFloor = 0;
  messages = 0;
  /** Dropped messages that the client was told of, and fresh snapshots that it received. */
  dropped = 0;
  fresh = 0;

  constructor(spec: OperationSpec, writer: ItemWriter) {
    this.#spec = spec;
    this.#writer = writer;
    this.#origin = writer.published.length;
  }

  get accepted(): boolean {
    return this.#owedFrom !== undefined;
  }

  /** The client subscribes without a cursor. */
  subscribed(): void {
    this.#snapshotFloor = this.#writer.acknowledged(this.#spec.key);
  }

  /** The client holds a cursor: every change published from here on is owed to it. */
  accept(): void {
    this.#owedFrom ??= this.#writer.published.length;
  }

  /**
   * Checks a message.
   *
   * @param eventId id of the SSE event that carried it.
   * @throws ExactnessViolation when the message should not have come.
   */
  receive(payload: Payload, eventId?: string): void {
    const { extensions } = payload;
    const item = payload.data?.[fieldName(this.#spec.field, this.#spec.overflow)];
    if (!extensions || !item || payload.errors) this.#violated(`got ${JSON.stringify(payload)}`);
    const { key, version, kind, cursor } = extensions;
    if (item.key !== key || item.version !== version || item.text !== itemOf(key, version).text) {
      this.#violated(`${kind} ${key}@${version} holds ${item.text}`);
    }
    if (!this.#wants(key)) this.#violated(`was sent ${key}@${version}, which it did not ask for`);
    if (eventId !== undefined && eventId !== cursor)
      this.#violated(`${kind} ${key}@${version} came with the id of another message`);
    this.messages += 1;
    const dropped = this.#droppedBefore(extensions);
    if (kind === 'snapshot') this.#receiveSnapshot(key, version, dropped);
    else this.#receiveChange(key, version, dropped, extensions.id);
    this.accept();
    this.#last.set(key, version);
  }

  /** Describes a message that must still come; undefined when the view is complete. */
  missing(): string | undefined {
    const missing = KEYS.filter((key) => this.#wants(key))
      .map((key) => this.#missingOf(key))
      .find((each) => each !== undefined);
    return missing ?? this.#count.wrong();
  }

  toString(): string {
    const { field, overflow, key, slow } = this.#spec;
    const seen = JSON.stringify(Object.fromEntries(this.#last));
    return `${fieldName(field, overflow)}(${key}${slow ? ', slow' : ''}) at ${seen}`;
  }

  #droppedBefore({ key, version, kind, dropped }: NonNullable<Payload['extensions']>): number {
    if (dropped === undefined) return 0;
    const message = `${kind} ${key}@${version}`;
    if (!Number.isSafeInteger(dropped) || dropped < 1) this.#violated(`${message} says dropped: ${dropped}`);
    if (this.#spec.overflow === 'close')
      this.#violated(`${message} says that ${dropped} are missing: its field allows none to be`);
    this.dropped += dropped;
    return dropped;
  }

  #receiveSnapshot(key: string, version: number, dropped: number): void {
    const known = this.#last.get(key);
    if (this.#spec.field !== 'item') this.#violated('has no snapshot and got one');
    if (dropped > 0 && this.#spec.overflow !== 'snapshot')
      this.#violated(`snapshot ${key}@${version} says that ${dropped} before it are missing`);
    if (known !== undefined && dropped === 0)
      this.#violated(`got a fresh snapshot ${key}@${version} after ${known}: nothing was missing`);
    if (known !== undefined && (version <= known || !isFreshAfter(version - known, dropped)))
      this.#violated(`fresh snapshot ${key}@${version} came after ${known} and says ${dropped} are missing`);
    const committed = this.#writer.committed(key)?.version ?? 0;
    if (version < this.#snapshotFloor || version > committed) {
      this.#violated(`snapshot ${key}@${version} is not within ${this.#snapshotFloor} to ${committed}`);
    }
    if (dropped > 0) this.fresh += 1;
  }

  #receiveChange(key: string, version: number, dropped: number, id: string | undefined): void {
    const known = this.#last.get(key);
    const change = `change ${key}@${version}`;
    if (id !== itemId(key, version)) this.#violated(`${change} has the id ${id}`);
    if (known === undefined && this.#spec.field === 'item')
      this.#violated(`${change} came before the snapshot`);
    if (known !== undefined && version <= known)
      this.#violated(`${change} came again or late, after ${known}`);
    if (this.#spec.overflow === 'latest-per-key') return this.#receiveThinned(key, version, dropped);
    if (dropped > 0) this.#violated(`${change} says that ${dropped} are missing: a snapshot has to`);
    if (known === undefined) this.#first.set(key, version);
    else if (version > known + 1) this.#violated(`${change} came after ${known}: some are missing`);
  }

  /** `dropped` counts the missing messages of the key for a field of one key, else those of all keys together. */
  #receiveThinned(key: string, version: number, dropped: number): void {
    const known = this.#last.get(key);
    if (this.#isOfOneKey()) {
      if (known !== undefined && version - known - 1 !== dropped)
        this.#violated(`change ${key}@${version} came after ${known} and says that ${dropped} are missing`);
      if (known === undefined && version - dropped <= this.#versionAtOrigin(key))
        this.#violated(`change ${key}@${version} says that ${dropped} are missing: more than there were`);
      if (known === undefined) this.#first.set(key, version - dropped);
      return;
    }
    this.#count.told(dropped);
    if (known !== undefined) this.#count.missed(version - known - 1);
    else {
      this.#first.set(key, version);
      const owed = this.#firstOwed(key) ?? version;
      this.#count.missedBetween(Math.max(0, version - owed), version - 1 - this.#versionAtOrigin(key));
    }
    if (this.#count.isTooLow) this.#violated(`change ${key}@${version} came: ${this.#count.wrong()}`);
  }

  #missingOf(key: string): string | undefined {
    const owed = this.#firstOwed(key);
    const first = this.#first.get(key);
    const isCounted = this.#spec.overflow === 'latest-per-key' && !this.#isOfOneKey();
    if (!isCounted && owed !== undefined && first !== undefined && first > owed)
      return `${key} began with ${first} instead of ${owed}`;
    const newest = this.#newest(key);
    const last = this.#last.get(key);
    if (last === undefined)
      return owed === undefined ? undefined : `nothing of ${key}, of which ${owed} is owed`;
    return last < newest ? `${key}@${newest} has not come, only ${last}` : undefined;
  }

  /** Oldest version of a key that must come: published after the client had a cursor, or after its first change. */
  #firstOwed(key: string): number | undefined {
    const from = Math.min(this.#owedFrom ?? Infinity, this.#beganAt(partitionFor(key, PARTITIONS)));
    const { published } = this.#writer;
    for (let index = from; index < published.length; index++)
      if (published[index]!.key === key) return published[index]!.version;
    return undefined;
  }

  /** A partition's changes start at one position for all keys: after the first received one, none may be missing. */
  #beganAt(partition: number): number {
    const { published } = this.#writer;
    for (let index = this.#origin; index < published.length; index++) {
      const { key, version } = published[index]!;
      if (this.#first.get(key) === version && partitionFor(key, PARTITIONS) === partition) return index;
    }
    return Infinity;
  }

  #versionAtOrigin(key: string): number {
    const { published } = this.#writer;
    for (let index = this.#origin - 1; index >= 0; index--)
      if (published[index]!.key === key) return published[index]!.version;
    return 0;
  }

  #newest(key: string): number {
    return this.#writer.published.findLast((one) => one.key === key)?.version ?? 0;
  }

  #isOfOneKey(): boolean {
    return this.#spec.field === 'item' || this.#spec.field === 'itemChanges';
  }

  #wants(key: string): boolean {
    if (this.#spec.field === 'items') return true;
    return this.#spec.field === 'owned' ? ownerOf(key) === ownerOf(this.#spec.key) : key === this.#spec.key;
  }

  #violated(problem: string): never {
    throw new ExactnessViolation(`${this.toString()}: ${problem}`);
  }
}

/**
 * True when `dropped` fits a fresh snapshot that advances the key by this many versions. It counts the changes since
 * the last message, and earlier fresh snapshots that were dropped themselves, each of which replaced at least one change.
 */
function isFreshAfter(versions: number, dropped: number): boolean {
  return dropped >= 1 && dropped <= 2 * versions;
}
