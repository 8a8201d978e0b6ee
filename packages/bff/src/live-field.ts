import type { MessageDefinition } from '@tidegate/core';
import type { Viewer } from './viewer.ts';

/**
 * A stream of document changes, from one topic. The gateway tails the topic once per process and fans out each change to
 * the live fields of all BFFs.
 */
export interface LiveStream<Data = unknown> {
  /** Unique name, by which the gateway finds the stream of a live field. */
  readonly name: string;
  /** Message type of the documents. */
  readonly definition: MessageDefinition;
  /**
   * Returns the index terms of a document, e.g. `['all', 'id:42', 'owner:7']`. A live field selects one term, so the cost
   * of a change grows with its matches and not with the number of connections. Terms of one key must not change.
   */
  terms(data: Data): readonly string[];
  /**
   * `murmur2` when every producer of the topic chooses partitions by Kafka's murmur2 of the key, as Java clients and
   * `EventLog.append` do; librdkafka (Go, Python, .NET) does not by default. Cursors of a field with a key then hold one
   * partition in place of all, and a resume reads that one only. A key in another partition is found and told; cursors
   * hold all partitions from then on. Default: cursors hold all.
   */
  readonly partitioner?: 'murmur2';
}

/**
 * The changes that a viewer may see. Subscriptions with equal document, variables and scope share one execution, so a
 * resolver below a live field may depend on `scope.viewer` and on nothing else about the viewer.
 */
export interface LiveScope<Data = unknown> {
  /** Scopes with equal ids have equal rights, e.g. `operator` or `owner:7`. */
  readonly id: string;
  /** The resolvers' `context.viewer`. */
  readonly viewer: Viewer;
  /** Returns true when the viewer may see this document. Called for each change. */
  sees(data: Data): boolean;
}

/** Overflow policy of a slow consumer's outbound queue. The client is told about each overflow. */
export type OverflowPolicy =
  /** Keeps only the newest change of each key. */
  | 'latest-per-key'
  /** Drops the queued changes and sends a new snapshot. Needs `snapshot`. */
  | 'snapshot'
  /** Closes the connection with SLOW_CONSUMER. The client resumes with its cursor. */
  | 'close';

/** A field of the subscription type: the source of its changes, the rights to see them, and its first value. */
export interface LiveField<Args = Record<string, unknown>, Data = unknown, Context = unknown> {
  /** Source of the changes. */
  readonly stream: LiveStream<Data>;
  /**
   * Returns the viewer's scope. Called once per subscription.
   *
   * @throws TidegateError UNAUTHENTICATED or FORBIDDEN when the viewer may not subscribe.
   */
  readonly authorise: (viewer: Viewer, args: Args) => LiveScope<Data>;
  /** Returns the index term that all changes of this subscription have. */
  readonly term: (args: Args, scope: LiveScope<Data>) => string;
  /**
   * Returns the key when the subscription has exactly one. Its cursors then hold the key's version, so that a missing
   * version is also detected after a resume.
   */
  readonly key?: (args: Args) => string;
  /** Returns false for a change that the arguments filter out. Default: every change with the term matches. */
  readonly matches?: (data: Data, args: Args) => boolean;
  /**
   * Reads the current state, which must not be older than the newest change of the stream. Sent first, then the changes
   * after its version; sent again after a version gap or an overflow. Undefined rejects the subscription with NOT_FOUND
   * unless `snapshotOptional` is true. Needs `key`.
   */
  readonly snapshot?: (args: Args, context: Context) => Promise<Versioned<Data> | undefined>;
  /** True: a subscription without a snapshot waits for its first change. Default false. */
  readonly snapshotOptional?: boolean;
  /** True: the subscription completes after its first value. Default false. */
  readonly once?: boolean;
  readonly overflow: OverflowPolicy;
}

/** A document with its key and version. */
export interface Versioned<Data> {
  readonly key: string;
  readonly version: number;
  readonly data: Data;
}

/**
 * Declares a live field and checks that it is complete.
 *
 * @throws Error when it has a `snapshot` without a `key`, or the overflow policy `snapshot` without a `snapshot`.
 *
 * @example
 * const counter = defineLiveField<{ id: string }, Counter, BffContext>({
 *   stream: counterStream,
 *   authorise: (viewer) => ({ id: viewer.role, viewer, sees: () => true }),
 *   term: ({ id }) => `id:${id}`,
 *   key: ({ id }) => id,
 *   snapshot: async ({ id }, { services }) => {
 *     const { counter } = await services.call(getCounter, { id });
 *     return counter && { key: id, version: counter.version, data: counter };
 *   },
 *   overflow: 'latest-per-key',
 * });
 */
export function defineLiveField<Args, Data, Context>(field: LiveField<Args, Data, Context>): LiveField {
  if (field.snapshot && !field.key)
    throw new Error(
      `a live field of ${field.stream.name} has a snapshot and no \`key\`: a snapshot is the state of one key`,
    );
  if (field.overflow === 'snapshot' && !field.snapshot)
    throw new Error(
      `a live field of ${field.stream.name} has the overflow policy snapshot and no \`snapshot\``,
    );
  return field as unknown as LiveField;
}

/**
 * Declares a stream of documents and infers their type.
 *
 * @example
 * const counterStream = defineLiveStream<Counter>({
 *   name: 'counters',
 *   definition: CounterDocumentChanged,
 *   terms: ({ counterId }) => ['all', `id:${counterId}`],
 * });
 */
export function defineLiveStream<Data>(stream: LiveStream<Data>): LiveStream<Data> {
  return stream;
}
