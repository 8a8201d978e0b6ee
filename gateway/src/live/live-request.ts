import type { LiveField, LiveScope, Versioned } from '@tidegate/bff';
import type { TidegateError } from '@tidegate/core';
import type { ExecutionResult } from 'graphql';
import type { FrameBatch } from './group/frame-batch.ts';

/** A subscription as the hub takes it: authorised, validated, ready to be rendered. Knows no transport. */
export interface LiveRequest {
  readonly field: LiveField;
  readonly args: Record<string, unknown>;
  readonly scope: LiveScope;
  /** Equal for equal BFF, document, operation name and variables. With the scope it names the group and binds cursors. */
  readonly fingerprint: string;
  /**
   * Counts the schemas that the BFF has had: subscriptions on different ones share no group, for they may not be
   * rendered alike. A cursor does not know of it. Default 0.
   */
  readonly generation?: number;
  /** Where to go on; absent: from now, or from the field's snapshot. */
  readonly cursor?: string;
  /** Executes the subscription's selection on one document. Called once per change and group. */
  readonly render: (
    data: unknown,
    traceparent: string | undefined,
  ) => Promise<ExecutionResult> | ExecutionResult;
  /** Reads the state now; absent when the field declares no snapshot. */
  readonly snapshot?: () => Promise<Versioned<unknown> | undefined>;
}

/** Where a subscription's messages go: a transport's connection. None of these may throw or block. */
export interface Sink {
  /** The next messages, in their order. `dropped`: how many before the first were left out. */
  deliver(batch: FrameBatch, dropped?: number): void;
  /** Resolves when there is room for more of a long replay; undefined when there is now. */
  ready?(): Promise<void> | undefined;
  /** Resolves when the client has read so far that the socket takes more; undefined when it does now. */
  drained?(): Promise<void> | undefined;
  /**
   * Of a sink whose policy is `snapshot`: whom to tell, once what waited was dropped, how many messages that were. It
   * asks for room, and then sends a fresh snapshot.
   */
  onDropped?(listener: (dropped: number) => void): void;
  /** Everything up to this cursor has been said: sent when the subscription is live, and while it has nothing to say. */
  deliverPosition?(cursor: string): void;
  complete(): void;
  /** The last word; nothing follows it. */
  fail(error: TidegateError): void;
}

export interface LiveSubscription {
  /** Leaves; the sink hears nothing any more. Idempotent. */
  stop(): void;
  /**
   * Goes on under other rights from exactly this point of the stream: every change that was dispatched before the
   * call follows the old scope, everything after it the new one; what both see comes once. Cursors are bound to the
   * new scope from here on, those of changes that are still on their way included. The request is the same operation
   * under the new scope; its cursor does not matter. Does nothing when the scope's id is the same.
   */
  renew(request: LiveRequest): void;
}
