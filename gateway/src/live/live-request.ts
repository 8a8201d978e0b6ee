import type { LiveField, LiveScope, Versioned } from '@tidegate/bff';
import type { ExecutionResult } from 'graphql';

/** A subscription as the hub accepts it: authorised, validated, ready to render. Independent of the transport. */
export interface LiveRequest {
  readonly field: LiveField;
  readonly args: Record<string, unknown>;
  readonly scope: LiveScope;
  /**
   * Hash of BFF, document, operation name and variables. With the scope's id it names the group and binds cursors.
   */
  readonly fingerprint: string;
  /**
   * Name of the rendering: the number of the BFF's schema, which grows with each schema reload, and whether messages tell
   * the cost. Subscriptions of different renderings share no group. Cursors do not contain it. Default empty.
   */
  readonly renderingName?: string;
  /** Cursor to resume from. Without it the subscription starts from the field's snapshot, or from now. */
  readonly cursor?: string;
  /** Executes the subscription's selection on one document. Called once per change and group. */
  readonly render: (
    data: unknown,
    traceparent: string | undefined,
  ) => Promise<ExecutionResult> | ExecutionResult;
  /** Reads the current state. Absent when the field declares no snapshot. */
  readonly snapshot?: () => Promise<Versioned<unknown> | undefined>;
}

/** An open subscription. */
export interface LiveSubscription {
  /** Ends the subscription; nothing more is delivered to its sink. Idempotent. */
  stop(): void;
  /**
   * Continues under another scope from exactly this point of the stream: changes dispatched before the call follow the
   * old scope, later ones the new scope. A change that both scopes see is delivered once. From the call on, cursors are
   * bound to the new scope, including those of changes that are still being rendered. `request` is the same operation
   * under the new scope; its cursor is ignored. Does nothing when the scope's id is unchanged.
   */
  renew(request: LiveRequest): void;
}
