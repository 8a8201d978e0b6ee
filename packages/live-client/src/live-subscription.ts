import { backoffMs, type Backoff } from './backoff.ts';
import { fromGraphQLErrors, LiveClientError } from './live-client-error.ts';
import type { Session } from './session.ts';
import type { GraphQLErrorLike, Phase, ResetReason, Result, SubscribeRequest } from './types.ts';
import { VersionFence } from './version-fence.ts';

export interface LiveSubscriptionOptions {
  readonly backoff: Backoff;
  /**
   * Where the server does not say that a subscription is live, it counts as live after this long without a result:
   * what was missed is sent in one go.
   */
  readonly settleMs: number;
  readonly onPhase: () => void;
  /** It has ended, by whomever. */
  readonly onEnded: () => void;
}

/** A server that has told positions before will tell one now; this long without a word and it is another server. */
const POSITION_WAIT_MS = 5_000;

/**
 * One subscription across all its connections: remembers the last cursor, comes back with it, and lets each version
 * of a key through once.
 */
export class LiveSubscription<Data> {
  readonly #request: SubscribeRequest<Data>;
  readonly #options: LiveSubscriptionOptions;
  readonly #fence = new VersionFence();
  #session: Session | undefined;
  #stop: (() => void) | undefined;
  #cursor: string | undefined;
  /** Whether the server was asked before: without a cursor the second asking may have missed something. */
  #asked = false;
  #asking = 0;
  /** Whether this server tells where a subscription is, see sentence 10 of the protocol. */
  #tellsPositions = false;
  /** Said once the subscription is live again: a state loaded before that could miss what happened in between. */
  #reset: ResetReason | undefined;
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

  /** A connection is there: ask for what follows the cursor. */
  attach(session: Session): void {
    this.#session = session;
    this.#subscribe(session);
  }

  /** The connection is gone. */
  detach(phase: Phase): void {
    this.#session = undefined;
    this.#stop = undefined;
    clearTimeout(this.#timer);
    this.#enter(phase);
  }

  /** The connection will not come back. */
  fail(error: LiveClientError): void {
    this.#end(() => this.#request.onError?.(error));
  }

  unsubscribe(): void {
    this.#end(() => {});
  }

  #subscribe(session: Session): void {
    clearTimeout(this.#timer);
    this.#stop?.();
    if (this.#asked && this.#cursor === undefined) this.#reset ??= 'NO_CURSOR';
    this.#asked = true;
    this.#enter(this.#cursor === undefined ? 'connecting' : 'catching-up');
    if (this.#ended) return;
    // A sink of an earlier asking must not be heard any more.
    const asking = (this.#asking += 1);
    const current = (): boolean => this.#asking === asking && !this.#ended;
    const { query, variables } = this.#request;
    this.#stop = session.subscribe(
      {
        query,
        ...(variables && { variables: { ...variables } }),
        ...(this.#cursor !== undefined && { cursor: this.#cursor }),
      },
      {
        accepted: () => {
          if (current()) this.#settleLater();
        },
        next: (result) => {
          if (current()) this.#take(result as Result<Data>);
        },
        position: (cursor) => {
          if (current()) this.#arrived(cursor);
        },
        error: (errors) => {
          if (current()) this.#refused(errors as readonly GraphQLErrorLike[]);
        },
        complete: () => {
          if (current()) this.#end(() => this.#request.onComplete?.());
        },
      },
    );
  }

  #take(result: Result<Data>): void {
    // A result without `data` is a refusal: servers may send it as a result and then complete.
    if (result.errors && result.data === undefined) return this.#refused(result.errors);
    this.#failures = 0;
    if (this.#phase === 'catching-up') this.#settleLater();
    else this.#live();
    const { cursor, key, version } = result.extensions ?? {};
    const repeated = key !== undefined && version !== undefined && !this.#fence.passes(key, version);
    if (!repeated && !this.#ended) safely(() => this.#request.onResult(result));
    // After the subscriber has it, not before: a cursor vouches for what was handed over.
    if (cursor !== undefined) this.#cursor = cursor;
  }

  /** All before this position was handed over, and what happens now comes at once. */
  #arrived(cursor: string): void {
    this.#tellsPositions = true;
    this.#failures = 0;
    this.#cursor = cursor;
    this.#live();
  }

  /** The server ended this subscription alone; the connection stays. */
  #refused(errors: readonly GraphQLErrorLike[]): void {
    this.#asking += 1;
    const error = fromGraphQLErrors(errors);
    const reason = resetReason(error, this.#cursor !== undefined);
    if (reason) this.#forget(reason);
    else if (!error.retryable) return this.fail(error);
    this.#failures += 1;
    // A cursor that was refused is not sent again: asking afresh at once can make no loop.
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

  #forget(reason: ResetReason): void {
    this.#cursor = undefined;
    this.#asked = false;
    this.#reset = reason;
  }

  #settleLater(): void {
    if (this.#phase === 'live') return;
    clearTimeout(this.#timer);
    const quietMs = this.#tellsPositions ? POSITION_WAIT_MS : this.#options.settleMs;
    this.#timer = setTimeout(() => this.#live(), quietMs);
  }

  #live(): void {
    if (this.#phase !== 'live') clearTimeout(this.#timer);
    const reason = this.#reset;
    this.#reset = undefined;
    if (reason) {
      // Versions may have begun anew.
      this.#fence.clear();
      safely(() => this.#request.onReset?.(reason));
    }
    this.#enter('live');
  }

  #enter(phase: Phase): void {
    if (this.#ended || this.#phase === phase) return;
    this.#phase = phase;
    safely(() => this.#request.onPhase?.(phase));
    this.#options.onPhase();
  }

  #end(tell: () => void): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#stop?.();
    this.#session = undefined;
    this.#options.onEnded();
    safely(tell);
  }
}

function resetReason({ code }: LiveClientError, hadCursor: boolean): ResetReason | undefined {
  if (code === 'VERSION_GAP') return code;
  const refused = code === 'CURSOR_EXPIRED' || code === 'CURSOR_INVALID' || code === 'CURSOR_FOREIGN';
  return refused && hadCursor ? code : undefined;
}

/** A subscriber's own mistake is reported as the page's, and neither ends the connection nor harms the others. */
function safely(call: () => void): void {
  try {
    call();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
