import type { Positions } from '../feed/positions.ts';
import type { StreamFeed } from '../feed/stream-feed.ts';
import type { LiveRequest } from '../live-request.ts';
import { cursorBinding, type CursorCodec } from './cursor.ts';

export interface GroupCursorsOptions {
  readonly request: LiveRequest;
  readonly codec: CursorCodec;
  readonly feed: Pick<StreamFeed, 'epoch' | 'partitionsOf'>;
}

/** Facts that a resume takes from a cursor. */
export interface DecodedCursor {
  readonly positions: ReadonlyMap<number, number>;
  readonly floorVersion: number;
}

/** A cached position cursor is reused for this long, so its time of issue may be up to 10 s old. */
const POSITION_REUSE_MS = 10_000;

/** Cursors of one group: bound to its scope and subscription, with the positions of its partitions only. */
export class GroupCursors {
  readonly #options: GroupCursorsOptions;
  readonly #binding: Buffer;
  /** The subscription's one key, if it has one. */
  readonly #key: string | undefined;
  /** Last position cursor. The idle subscriptions of a group ask for the same one. */
  #position: { readonly of: string; readonly cursor: string; readonly atMs: number } | undefined;

  constructor(options: GroupCursorsOptions) {
    const { field, args, scope, fingerprint } = options.request;
    this.#options = options;
    this.#key = field.key?.(args);
    this.#binding = cursorBinding(scope.id, fingerprint);
  }

  /** Reduces a stream's positions to the partitions of this group. */
  relevant(positions: Positions): Map<number, number> {
    const partitions = this.#options.feed.partitionsOf(this.#key);
    return new Map(partitions.map((partition) => [partition, positions[partition] ?? 0]));
  }

  /** Encodes a cursor for a client that has everything up to these positions and this version. */
  encode(positions: ReadonlyMap<number, number>, floorVersion: number): string {
    const { codec, feed } = this.#options;
    return codec.encode({
      epoch: feed.epoch,
      binding: this.#binding,
      issuedAtMs: Date.now(),
      floorVersion,
      positions,
    });
  }

  /** Encodes a cursor for an idle client, or returns the cached one of a neighbour at the same positions. */
  encodePosition(positions: Positions, floorVersion: number): string {
    const of = `${floorVersion}@${positions.join()}`;
    const known = this.#position;
    if (known?.of === of && Date.now() - known.atMs < POSITION_REUSE_MS) return known.cursor;
    const cursor = this.encode(this.relevant(positions), floorVersion);
    this.#position = { of, cursor, atMs: Date.now() };
    return cursor;
  }

  /**
   * Decodes a cursor of this group. A partition that the cursor does not hold was added since: its changes are missed from
   * the beginning on.
   *
   * @param maxAgeMs maximum age in milliseconds. Default: any age.
   * @throws TidegateError CURSOR_INVALID, CURSOR_FOREIGN or CURSOR_EXPIRED.
   */
  decode(cursor: string, maxAgeMs = Infinity): DecodedCursor {
    const { codec, feed } = this.#options;
    const expected = { binding: this.#binding, epoch: feed.epoch, nowMs: Date.now(), maxAgeMs };
    const { floorVersion, positions } = codec.decode(cursor, expected);
    const added = feed.partitionsOf(this.#key).filter((partition) => !positions.has(partition));
    if (added.length === 0) return { floorVersion, positions };
    const complete = new Map([...positions, ...added.map((partition) => [partition, 0] as const)]);
    return { floorVersion, positions: complete };
  }
}
