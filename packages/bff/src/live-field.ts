import type { MessageDefinition } from '@tidegate/core';
import type { Viewer } from './viewer.ts';

/**
 * What live fields listen to: one document topic. The hub tails it once per process, whatever number of BFFs,
 * fields and subscribers there are.
 */
export interface LiveStream<Data = unknown> {
  readonly name: string;
  readonly definition: MessageDefinition;
  /**
   * The index terms a document is found by, e.g. `['all', 'id:42', 'customer:7']`. A live field selects one
   * term, so a change costs what it matches, not what is connected. Terms of one key must not change over time.
   */
  terms(data: Data): readonly string[];
}

/**
 * Which changes a viewer may see, decided once per subscription and asked for each change. Subscriptions of equal
 * document, variables and scope share one execution, so a resolver below a live field may depend on
 * `scope.viewer` and on nothing else about the viewer.
 */
export interface LiveScope<Data = unknown> {
  /** Equal ids mean equal rights, e.g. `operator` or `customer:7`. */
  readonly id: string;
  /** What resolvers get as `context.viewer`. */
  readonly viewer: Viewer;
  sees(data: Data): boolean;
}

/** What happens to a subscriber whose outbound queue is full. Each is visible to the client. */
export type OverflowPolicy =
  /** Only the newest change of each key is kept. */
  | 'latest-per-key'
  /** What waits is dropped and a fresh snapshot is sent. Needs `snapshot`. */
  | 'snapshot'
  /** The connection is closed with SLOW_CONSUMER: come back with the cursor. */
  | 'close';

/** A field of `Subscription`: where its changes come from, who may see them, how it begins. */
export interface LiveField<Args = Record<string, unknown>, Data = unknown, Context = unknown> {
  readonly stream: LiveStream<Data>;
  /** @throws TidegateError UNAUTHENTICATED or FORBIDDEN when the viewer may not subscribe at all. */
  readonly authorise: (viewer: Viewer, args: Args) => LiveScope<Data>;
  /** The one index term that finds every change this subscription may want. */
  readonly term: (args: Args, scope: LiveScope<Data>) => string;
  /**
   * The key when the term names exactly one: its partition is then the only one a cursor needs, and the cursor holds
   * its version, so that a missing one is noticed after a resume as well.
   */
  readonly key?: (args: Args) => string;
  readonly matches?: (data: Data, args: Args) => boolean;
  /**
   * The state now, never older than what the stream has published; undefined when there is none, which refuses
   * the subscription with NOT_FOUND unless `snapshotOptional`. The hub sends it first, then what comes after its
   * version; and again where changes are missing or were dropped. Needs `key`.
   */
  readonly snapshot?: (args: Args, context: Context) => Promise<Versioned<Data> | undefined>;
  readonly snapshotOptional?: boolean;
  /** True for fields that say one thing and complete. */
  readonly once?: boolean;
  readonly overflow: OverflowPolicy;
}

export interface Versioned<Data> {
  readonly key: string;
  readonly version: number;
  readonly data: Data;
}

/**
 * Infers the types of a field; the hub later treats all fields alike.
 *
 * @throws Error when it declares a snapshot without its `key`, or the policy `snapshot` without one.
 */
export function defineLiveField<Args, Data, Context>(field: LiveField<Args, Data, Context>): LiveField {
  if (field.snapshot && !field.key)
    throw new Error(
      `a live field of ${field.stream.name} has a snapshot: it is of one key, which \`key\` has to name`,
    );
  if (field.overflow === 'snapshot' && !field.snapshot)
    throw new Error(`a live field of ${field.stream.name} overflows with a snapshot and declares none`);
  return field as unknown as LiveField;
}

export function defineLiveStream<Data>(stream: LiveStream<Data>): LiveStream<Data> {
  return stream;
}
