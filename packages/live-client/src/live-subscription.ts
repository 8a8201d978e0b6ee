import { backoffMs, type Backoff } from './backoff.ts';
import { fromGraphQLErrors, LiveClientError } from './live-client-error.ts';
import type { Phase } from './phase.ts';
import type { ResetReason, SubscribeRequest } from './requests.ts';
import type { GraphQLErrorLike, Result } from './result.ts';
import type { Session, SubscribePayload, SubscriptionHandlers } from './sessions/session.ts';
import { VersionFence } from './version-fence.ts';

export interface LiveSubscriptionOptions {
  /** Waits before the subscription is retried on the same connection. */
  readonly backoff: Backoff;
  /** Time without a result after which a subscription counts as live, in milliseconds, until the server sends cursors. */
  readonly settleMs: number;
  readonly onPhase: () => void;
  /** The subscription has ended: unsubscribed, completed or failed. */
  readonly onEnded: () => void;
}

/**
 * Used instead of `settleMs` once the server has sent a cursor: it will send one again, unless the connection now leads
 * to a server that sends none.
 */
const CURSOR_WAIT_MS = 5_000;

/**
 * One subscription across all its connections: remembers the last cursor, resumes after it, and deduplicates the
 * versions of each key.
 */
export class LiveSubscription<Data> {
  readonly #request: SubscribeRequest<Data>;
  readonly #options: LiveSubscriptionOptions;
  readonly #fence = new VersionFence();
  #session: Session | undefined;
  #stop: (() => void) | undefined;
  #cursor: string | undefined;
  /** True after the first attempt: a further attempt without a cursor may have missed changes. */
  #attempted = false;
  /** Number of the current attempt; handlers of earlier ones are ignored. */
  #attempt = 0;
  /** True once the server has sent the cursor of an idle subscription, see sentence 10 of the protocol. */
  #serverSendsCursors = false;
  /** Reported once the subscription is live again: a state loaded earlier could miss changes in between. */
  #pendingReset: ResetReason | undefined;
  #failures = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #phase: Phase = 'connecting';
  #ended = false;

  constructor(request: SubscribeRequest<Data>, options: LiveSubscriptionOptions) {
    this.#request = request;
    this.#options = options;
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** Subscribes on a new session, after the last cursor. */
  attach(session: Session): void {
    this.#session = session;
    this.#subscribe(session);
  }

  /** The session has ended. */
  detach(phase: Phase): void {
    this.#session = undefined;
    this.#stop = undefined;
    clearTimeout(this.#timer);
    this.#enter(phase);
  }

  /** Ends the subscription with an error. */
  fail(error: LiveClientError): void {
    this.#end(() => this.#request.onError?.(error));
  }

  unsubscribe(): void {
    this.#end(() => {});
  }

  #subscribe(session: Session): void {
    clearTimeout(this.#timer);
    this.#stop?.();
    if (this.#attempted && this.#cursor === undefined) this.#pendingReset ??= 'NO_CURSOR';
    this.#attempted = true;
    this.#enter(this.#cursor === undefined ? 'connecting' : 'catching-up');
    if (this.#ended) return;
    this.#stop = session.subscribe(this.#payload(), this.#handlers((this.#attempt += 1)));
  }

  #payload(): SubscribePayload {
    const { query, variables } = this.#request;
    return {
      query,
      ...(variables && { variables: { ...variables } }),
      ...(this.#cursor !== undefined && { cursor: this.#cursor }),
    };
  }

  #handlers(attempt: number): SubscriptionHandlers {
    const ifCurrent = (handle: () => void): void => {
      if (this.#attempt === attempt && !this.#ended) handle();
    };
    return {
      onAccepted: () => ifCurrent(() => this.#settleLater()),
      onResult: (result) => ifCurrent(() => this.#handleResult(result as Result<Data>)),
      onCursor: (cursor) => ifCurrent(() => this.#handleCursor(cursor)),
      onErrors: (errors) => ifCurrent(() => this.#handleErrors(errors as readonly GraphQLErrorLike[])),
      onComplete: () => ifCurrent(() => this.#end(() => this.#request.onComplete?.())),
    };
  }

  #handleResult(result: Result<Data>): void {
    // A server may refuse with a result without `data`, followed by complete.
    if (result.errors && result.data === undefined) return this.#handleErrors(result.errors);
    this.#failures = 0;
    if (this.#phase === 'catching-up') this.#settleLater();
    else this.#enterLive();
    const { cursor, key, version } = result.extensions ?? {};
    const repeated = key !== undefined && version !== undefined && !this.#fence.passes(key, version);
    if (!repeated && !this.#ended) callSafely(() => this.#request.onResult(result));
    // Set after the callback: the cursor covers only results that the subscriber has received.
    if (cursor !== undefined) this.#cursor = cursor;
  }

  /** The subscriber has received everything before this cursor; further changes arrive as they happen. */
  #handleCursor(cursor: string): void {
    this.#serverSendsCursors = true;
    this.#failures = 0;
    this.#cursor = cursor;
    this.#enterLive();
  }

  /** The server has ended this subscription only; the session continues. */
  #handleErrors(errors: readonly GraphQLErrorLike[]): void {
    this.#attempt += 1;
    const error = fromGraphQLErrors(errors);
    const reason = resetReason(error, this.#cursor !== undefined);
    if (reason) this.#forgetCursor(reason);
    else if (!error.retryable) return this.fail(error);
    this.#failures += 1;
    // A refused cursor is not sent again, so an immediate retry cannot loop.
    const delayMs =
      reason && reason !== 'VERSION_GAP'
        ? 0
        : error.retryAfterMs + backoffMs(this.#failures, this.#options.backoff);
    this.#stop?.();
    this.#stop = undefined;
    this.#enter('connecting');
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (this.#session) this.#subscribe(this.#session);
    }, delayMs);
  }

  #forgetCursor(reason: ResetReason): void {
    this.#cursor = undefined;
    this.#attempted = false;
    this.#pendingReset = reason;
  }

  #settleLater(): void {
    if (this.#phase === 'live') return;
    clearTimeout(this.#timer);
    const quietMs = this.#serverSendsCursors ? CURSOR_WAIT_MS : this.#options.settleMs;
    this.#timer = setTimeout(() => this.#enterLive(), quietMs);
  }

  #enterLive(): void {
    if (this.#phase !== 'live') clearTimeout(this.#timer);
    const reason = this.#pendingReset;
    this.#pendingReset = undefined;
    if (reason) {
      // After a reset, versions may start again from 1.
      this.#fence.clear();
      callSafely(() => this.#request.onReset?.(reason));
    }
    this.#enter('live');
  }

  #enter(phase: Phase): void {
    if (this.#ended || this.#phase === phase) return;
    this.#phase = phase;
    callSafely(() => this.#request.onPhase?.(phase));
    this.#options.onPhase();
  }

  #end(report: () => void): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#stop?.();
    this.#session = undefined;
    this.#options.onEnded();
    callSafely(report);
  }
}

function resetReason({ code }: LiveClientError, hadCursor: boolean): ResetReason | undefined {
  if (code === 'VERSION_GAP') return code;
  const refused = code === 'CURSOR_EXPIRED' || code === 'CURSOR_INVALID' || code === 'CURSOR_FOREIGN';
  return refused && hadCursor ? code : undefined;
}

/** Reports an error of the callback as uncaught. It neither ends the connection nor affects other subscriptions. */
function callSafely(callback: () => void): void {
  try {
    callback();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
