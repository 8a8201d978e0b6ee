import { toTidegateError, type TidegateError } from '@tidegate/core';
import type { ExecutionResult } from 'graphql';
import type { Change } from '../feed/change.ts';
import { cursorBinding, type CursorCodec } from '../resume/cursor.ts';
import { encodeFrame, type Frame } from './frame.ts';
import { batchesOf } from './frame-batch.ts';
import type { LiveRequest } from '../live-request.ts';
import { Members } from './members.ts';
import type { Positions } from '../feed/positions.ts';
import type { SharedReplay } from '../resume/shared-replay.ts';
import { FreshSnapshots, readSnapshot } from '../resume/snapshot.ts';
import type { StreamFeed } from '../feed/stream-feed.ts';

export interface GroupOptions {
  readonly name: string;
  readonly request: LiveRequest;
  readonly feed: Pick<StreamFeed, 'epoch' | 'positions'>;
  readonly codec: CursorCodec;
  /** The partitions that matter to this subscription. */
  readonly partitions: readonly number[];
  /** Most changes that may wait to be rendered. */
  readonly maxQueuedChanges: number;
  readonly onOverflow: (error: TidegateError) => void;
}

/** How many different cursors' replays a group keeps for others, and how long. */
const MAX_SHARED_REPLAYS = 16;
const SHARED_REPLAY_MS = 30_000;
/** Cursors say when they were issued; this much earlier does not matter. */
const SAME_POSITION_MS = 10_000;

/**
 * Subscriptions that are equal in document, variables and scope. A change is executed and written to JSON once
 * for all of them, strictly one after the other, so that no key's changes can overtake each other.
 */
export class Group {
  readonly name: string;
  readonly request: LiveRequest;
  readonly members = new Members();
  /** For members that cannot go on by changes; to be asked only when the field has a snapshot. */
  readonly freshSnapshots: FreshSnapshots;
  readonly #options: GroupOptions;
  readonly #binding: Buffer;
  #queue: { change: Change; positions: Positions }[] = [];
  #rendering = false;
  /** Rendered, and not yet delivered: those that came together leave together. */
  #rendered: Frame[] = [];
  /** The last position that was asked for: whole groups ask for the same. */
  #position: { readonly asked: string; readonly cursor: string; readonly atMs: number } | undefined;
  readonly #replays = new Map<string, SharedReplay>();
  /** Who waits until the change of this sequence number has been delivered. */
  #settling: { readonly seq: number; readonly done: () => void }[] = [];

  constructor(options: GroupOptions) {
    this.name = options.name;
    this.request = options.request;
    this.#options = options;
    const place = { group: this, feed: options.feed };
    this.freshSnapshots = new FreshSnapshots(() => readSnapshot(place, options.request));
    this.#binding = cursorBinding(options.request.scope.id, options.request.fingerprint);
  }

  get binding(): Buffer {
    return this.#binding;
  }

  /** Whether its changes are all of one key: versions then say what is missing, also after a resume. */
  get isOfOneKey(): boolean {
    return this.request.field.key !== undefined;
  }

  get partitions(): readonly number[] {
    return this.#options.partitions;
  }

  /**
   * Whether this change is for this group's subscribers, by the rights they have and the filter they gave. What is
   * missing before it may have passed the filter, so a gap is for them in any case.
   */
  wants(change: Change): boolean {
    return this.request.scope.sees(change.data) && (change.continuity === 'gap' || this.#matches(change));
  }

  /** Takes a change to be rendered and, by `deliver`, delivered after those before it. */
  enqueue(change: Change, positions: Positions): void {
    this.#queue.push({ change, positions });
    if (this.#queue.length > this.#options.maxQueuedChanges) return this.#overflow();
    if (!this.#rendering) this.#drain();
  }

  /** Delivers what has been rendered. What execution has to wait for is delivered when it is there. */
  deliver(): void {
    const batches = batchesOf(this.#rendered);
    this.#rendered = [];
    for (const batch of batches) this.members.deliver(batch);
    if (this.#settling.length > 0) this.#settle();
  }

  /** Calls back when every change that was taken so far has been delivered: at once when it has. */
  settled(done: () => void): void {
    const seq = this.#queue.at(-1)?.change.seq ?? this.#rendered.at(-1)?.seq;
    if (seq === undefined) done();
    else this.#settling.push({ seq, done });
  }

  /** Renders one change. Fails never: what execution throws becomes the frame's GraphQL error. */
  async render(change: Change, positions: ReadonlyMap<number, number>): Promise<Frame> {
    return this.#encode(await this.request.render(change.data, change.traceparent), change, positions);
  }

  /**
   * What subscriptions with this cursor missed, shared by all that come back with it. Kept for a moment only: a herd
   * comes within seconds.
   */
  replayAfter(cursor: string, create: () => SharedReplay): SharedReplay {
    const known = this.#replays.get(cursor);
    if (known) return known;
    const created = create();
    this.#replays.set(cursor, created);
    if (this.#replays.size > MAX_SHARED_REPLAYS) this.#forget(this.#replays.keys().next().value!);
    setTimeout(() => {
      if (this.#replays.get(cursor) === created) this.#forget(cursor);
    }, SHARED_REPLAY_MS).unref();
    return created;
  }

  /** Gives back what is kept for members that will not come. */
  end(): void {
    for (const cursor of [...this.#replays.keys()]) this.#forget(cursor);
  }

  #forget(cursor: string): void {
    this.#replays.get(cursor)?.forget();
    this.#replays.delete(cursor);
  }

  /** The cursor that says "everything up to these positions". */
  cursor(positions: ReadonlyMap<number, number>, floorVersion: number): string {
    const { codec, feed } = this.#options;
    return codec.encode({
      epoch: feed.epoch,
      binding: this.#binding,
      issuedAtMs: Date.now(),
      floorVersion,
      positions,
    });
  }

  /** The cursor of all that have seen everything up to these positions of the stream. */
  position(positions: Positions, floorVersion: number): string {
    const asked = `${floorVersion}@${positions.join()}`;
    const known = this.#position;
    if (known?.asked === asked && Date.now() - known.atMs < SAME_POSITION_MS) return known.cursor;
    const cursor = this.cursor(this.relevant(positions), floorVersion);
    this.#position = { asked, cursor, atMs: Date.now() };
    return cursor;
  }

  /** True when every change that was taken has been delivered: only then is "now" where its members stand. */
  get idle(): boolean {
    return this.#queue.length === 0 && this.#rendered.length === 0;
  }

  /** What a cursor of this group says, whatever its age. */
  decode(cursor: string): { positions: ReadonlyMap<number, number>; floorVersion: number } {
    const { codec, feed } = this.#options;
    return codec.decode(cursor, {
      binding: this.#binding,
      epoch: feed.epoch,
      nowMs: Date.now(),
      maxAgeMs: Infinity,
    });
  }

  /** The positions that matter to this group, out of all of the stream's. */
  relevant(positions: Positions): Map<number, number> {
    return new Map(this.#options.partitions.map((partition) => [partition, positions[partition] ?? 0]));
  }

  /** Stays synchronous while execution does: most documents need nothing but themselves. */
  #drain(): void {
    for (let next = this.#queue[0]; next; next = this.#queue[0]) {
      const { change, positions } = next;
      let result: Promise<ExecutionResult> | ExecutionResult;
      try {
        result = this.request.render(change.data, change.traceparent);
      } catch (error) {
        // It must not reach the tail, which all other groups live from.
        return this.#abandon(error);
      }
      if (result instanceof Promise) {
        this.#rendering = true;
        void result.then(
          (rendered) => this.#resume(rendered, change, positions),
          (error: unknown) => this.#abandon(error),
        );
        return;
      }
      this.#queue.shift();
      this.#rendered.push(this.#encode(result, change, this.relevant(positions)));
    }
  }

  #resume(result: ExecutionResult, change: Change, positions: Positions): void {
    this.#rendering = false;
    // An overflow meanwhile has emptied the queue and told the members.
    if (this.#queue[0]?.change === change) {
      this.#queue.shift();
      this.#rendered.push(this.#encode(result, change, this.relevant(positions)));
    }
    this.#drain();
    this.deliver();
  }

  #abandon(error: unknown): void {
    this.#rendering = false;
    this.#queue = [];
    this.deliver();
    this.#options.onOverflow(toTidegateError(error));
  }

  #settle(): void {
    const next = this.#queue[0]?.change.seq ?? Infinity;
    const settled = this.#settling.filter(({ seq }) => seq < next);
    this.#settling = this.#settling.filter(({ seq }) => seq >= next);
    for (const { done } of settled) done();
  }

  #matches(change: Change): boolean {
    const { field, args } = this.request;
    return field.matches?.(change.data, args) ?? true;
  }

  #encode(result: ExecutionResult, change: Change, positions: ReadonlyMap<number, number>): Frame {
    const { key, version, id, seq, continuity } = change;
    const cursor = this.cursor(positions, this.isOfOneKey ? version : 0);
    const hidden = continuity === 'gap' && !this.#matches(change);
    return encodeFrame(result, { cursor, kind: 'change', key, version, id }, seq, { continuity, hidden });
  }

  #overflow(): void {
    this.#queue = [];
    this.deliver();
    this.#options.onOverflow(
      toTidegateError(new Error(`group ${this.name} has more changes waiting than it may`)),
    );
  }
}
