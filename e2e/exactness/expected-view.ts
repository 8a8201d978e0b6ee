import type { OverflowPolicy } from '@tidegate/bff';
import { partitionFor } from '@tidegate/event-log';
import { MissingCount } from './missing-count.ts';
import { fieldName, itemId, itemOf, KEYS, ownerOf, PARTITIONS, type ItemField } from './item-bff.ts';
import type { ItemWriter } from './item-writer.ts';

export interface OperationSpec {
  readonly field: ItemField;
  /** Only `item` can have `snapshot`. */
  readonly overflow: OverflowPolicy;
  /** Of `item` and `itemChanges`; its owner for `owned`. */
  readonly key: string;
  /** Whether the selection makes execution asynchronous. */
  readonly slow: boolean;
}

/** A `next` message's payload. */
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

/** What a client was sent is not what the oracle says. */
export class ExactnessViolation extends Error {
  override readonly name = 'ExactnessViolation';
}

/**
 * The oracle's view of one subscription over all its connections: takes each message as the client sees it, and knows
 * what has to come. Where the field's policy allows messages to be left out, the client has to have been told of
 * exactly those that are missing.
 */
export class ExpectedView {
  readonly #spec: OperationSpec;
  readonly #writer: ItemWriter;
  /** What was published before there was this client cannot be owed to it. */
  readonly #origin: number;
  readonly #first = new Map<string, number>();
  readonly #last = new Map<string, number>();
  readonly #count = new MissingCount();
  /** All of `published` from this index on has to come; undefined while the subscription may not be accepted yet. */
  #owedFrom: number | undefined;
  /** The oldest version that a snapshot may have. */
  #snapshotFloor = 0;
  messages = 0;
  /** How many messages the client was told were left out, and how many fresh snapshots it was sent. */
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

  /** The client asks for it, without a cursor. */
  asked(): void {
    this.#snapshotFloor = this.#writer.acknowledged(this.#spec.key);
  }

  /** The client holds a cursor now: whatever is published from here on is owed. */
  accept(): void {
    this.#owedFrom ??= this.#writer.published.length;
  }

  /**
   * @param eventId of the event that brought it, over SSE.
   * @throws ExactnessViolation when this message should not have come.
   */
  take(payload: Payload, eventId?: string): void {
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
    if (kind === 'snapshot') this.#takeSnapshot(key, version, dropped);
    else this.#takeChange(key, version, dropped, extensions.id);
    this.accept();
    this.#last.set(key, version);
  }

  /** What has not come and should have; undefined when the view is complete. */
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
    const what = `${kind} ${key}@${version}`;
    if (!Number.isSafeInteger(dropped) || dropped < 1) this.#violated(`${what} says dropped: ${dropped}`);
    if (this.#spec.overflow === 'close')
      this.#violated(`${what} says that ${dropped} are missing: its field allows none to be`);
    this.dropped += dropped;
    return dropped;
  }

  #takeSnapshot(key: string, version: number, dropped: number): void {
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

  #takeChange(key: string, version: number, dropped: number, id: string | undefined): void {
    const known = this.#last.get(key);
    const change = `change ${key}@${version}`;
    if (id !== itemId(key, version)) this.#violated(`${change} has the id ${id}`);
    if (known === undefined && this.#spec.field === 'item')
      this.#violated(`${change} came before the snapshot`);
    if (known !== undefined && version <= known)
      this.#violated(`${change} came again or late, after ${known}`);
    if (this.#spec.overflow === 'latest-per-key') return this.#takeThinned(key, version, dropped);
    if (dropped > 0) this.#violated(`${change} says that ${dropped} are missing: a snapshot has to`);
    if (known === undefined) this.#first.set(key, version);
    else if (version > known + 1) this.#violated(`${change} came after ${known}: some are missing`);
  }

  /** Of one key each message says exactly what is missing before it; of several, what is missing of all of them. */
  #takeThinned(key: string, version: number, dropped: number): void {
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

  /** The oldest version of a key that has to come, because it was published after something that says so. */
  #firstOwed(key: string): number | undefined {
    const from = Math.min(this.#owedFrom ?? Infinity, this.#beganAt(partitionFor(key, PARTITIONS)));
    const { published } = this.#writer;
    for (let index = from; index < published.length; index++)
      if (published[index]!.key === key) return published[index]!.version;
    return undefined;
  }

  /** A partition's changes begin at one place for all keys: after the first that came, nothing may be missing. */
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

  #violated(what: string): never {
    throw new ExactnessViolation(`${this.toString()}: ${what}`);
  }
}

/**
 * What a fresh snapshot replaces: changes since the last message seen, and, when it was dropped itself before it was
 * sent, snapshots, of which each has changes of its own.
 */
function isFreshAfter(versions: number, dropped: number): boolean {
  return dropped >= 1 && dropped <= 2 * versions;
}
