import { partitionFor } from '@tidegate/event-log';
import { itemId, itemOf, KEYS, ownerOf, PARTITIONS } from './item-bff.ts';
import type { ItemWriter } from './item-writer.ts';

export interface OperationSpec {
  readonly field: 'item' | 'itemChanges' | 'items' | 'owned';
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
  };
}

/** What a client was sent is not what the oracle says. */
export class ExactnessViolation extends Error {
  override readonly name = 'ExactnessViolation';
}

/**
 * The oracle's view of one subscription over all its connections: takes each message as the client sees it, and knows
 * what has to come.
 */
export class ExpectedView {
  readonly #spec: OperationSpec;
  readonly #writer: ItemWriter;
  /** What was published before there was this client cannot be owed to it. */
  readonly #origin: number;
  readonly #first = new Map<string, number>();
  readonly #last = new Map<string, number>();
  /** All of `published` from this index on has to come; undefined while the subscription may not be accepted yet. */
  #owedFrom: number | undefined;
  /** The oldest version that a snapshot may have. */
  #snapshotFloor = 0;
  messages = 0;

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

  /** @throws ExactnessViolation when this message should not have come. */
  take(payload: Payload): void {
    const { extensions } = payload;
    const item = payload.data?.[this.#spec.field];
    if (!extensions || !item || payload.errors) this.#violated(`got ${JSON.stringify(payload)}`);
    const { key, version, kind } = extensions;
    if (item.key !== key || item.version !== version || item.text !== itemOf(key, version).text) {
      this.#violated(`${kind} ${key}@${version} holds ${item.text}`);
    }
    if (!this.#wants(key)) this.#violated(`was sent ${key}@${version}, which it did not ask for`);
    this.messages += 1;
    if (kind === 'snapshot') this.#takeSnapshot(key, version);
    else this.#takeChange(key, version, extensions.id);
    this.accept();
    this.#last.set(key, version);
  }

  /** What has not come and should have; undefined when the view is complete. */
  missing(): string | undefined {
    return KEYS.filter((key) => this.#wants(key))
      .map((key) => this.#missingOf(key))
      .find((missing) => missing !== undefined);
  }

  toString(): string {
    const { field, key, slow } = this.#spec;
    return `${field}(${key}${slow ? ', slow' : ''}) at ${JSON.stringify(Object.fromEntries(this.#last))}`;
  }

  #takeSnapshot(key: string, version: number): void {
    const known = this.#last.get(key);
    if (this.#spec.field !== 'item') this.#violated('has no snapshot and got one');
    if (known !== undefined)
      this.#violated(`got a fresh snapshot ${key}@${version} after ${known}: nothing was missing`);
    const committed = this.#writer.committed(key)?.version ?? 0;
    if (version < this.#snapshotFloor || version > committed) {
      this.#violated(`snapshot ${key}@${version} is not within ${this.#snapshotFloor} to ${committed}`);
    }
  }

  #takeChange(key: string, version: number, id: string | undefined): void {
    const known = this.#last.get(key);
    if (id !== itemId(key, version)) this.#violated(`change ${key}@${version} has the id ${id}`);
    if (known === undefined) {
      if (this.#spec.field === 'item') this.#violated(`change ${key}@${version} came before the snapshot`);
      this.#first.set(key, version);
    } else if (version <= known)
      this.#violated(`change ${key}@${version} came again or late, after ${known}`);
    else if (version > known + 1)
      this.#violated(`change ${key}@${version} came after ${known}: some are missing`);
  }

  #missingOf(key: string): string | undefined {
    const owed = this.#firstOwed(key);
    const first = this.#first.get(key);
    if (owed !== undefined && first !== undefined && first > owed)
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

  #newest(key: string): number {
    return this.#writer.published.findLast((one) => one.key === key)?.version ?? 0;
  }

  #wants(key: string): boolean {
    if (this.#spec.field === 'items') return true;
    return this.#spec.field === 'owned' ? ownerOf(key) === ownerOf(this.#spec.key) : key === this.#spec.key;
  }

  #violated(what: string): never {
    throw new ExactnessViolation(`${this.toString()}: ${what}`);
  }
}
