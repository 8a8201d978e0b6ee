import { backoffMs, type Backoff } from './backoff.ts';
import { fromGraphQLErrors, LiveClientError } from './live-client-error.ts';
import type { Session } from './session.ts';
import type { GraphQLErrorLike, Phase, ResetReason, Result, SubscribeRequest } from './types.ts';
import { VersionFence } from './version-fence.ts';

export interface LiveSubscriptionOptions {
  readonly backoff: Backoff;
  /** Catching up is over after this long without a result: the gateway sends what was missed in one go. */
  readonly settleMs: number;
  readonly onPhase: () => void;
  /** It has ended, by whomever. */
  readonly onEnded: () => void;
}

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
    if (this.#asked && this.#cursor === undefined) this.#reset('NO_CURSOR');
    if (this.#ended) return;
    this.#asked = true;
    // graphql-ws tells a sink of its end also when that end was ours: a later asking must not hear it.
    const asking = (this.#asking += 1);
    const current = (): boolean => this.#asking === asking;
    const { query, variables } = this.#request;
    this.#stop = session.subscribe(
      {
        query,
        ...(variables && { variables: { ...variables } }),
        ...(this.#cursor !== undefined && { extensions: { cursor: this.#cursor } }),
      },
      {
        next: (result) => {
          if (current()) this.#take(result as Result<Data>);
        },
        error: (errors) => {
          if (current()) this.#refused(errors as readonly GraphQLErrorLike[]);
        },
        complete: () => {
          if (current()) this.#end(() => this.#request.onComplete?.());
        },
      },
    );
    if (this.#cursor === undefined) return this.#enter('live');
    this.#enter('catching-up');
    this.#settleLater();
  }

  #take(result: Result<Data>): void {
    if (this.#ended) return;
    // A result without `data` is a refusal: servers may send it as a result and then complete.
    if (result.errors && result.data === undefined) return this.#refused(result.errors);
    this.#failures = 0;
    const { cursor, key, version } = result.extensions ?? {};
    if (this.#phase === 'catching-up') this.#settleLater();
    const repeated = key !== undefined && version !== undefined && !this.#fence.passes(key, version);
    if (!repeated) safely(() => this.#request.onResult(result));
    // After the subscriber has it, not before: a cursor vouches for what was handed over.
    if (cursor !== undefined) this.#cursor = cursor;
  }

  /** The server ended this subscription alone; the connection stays. */
  #refused(errors: readonly GraphQLErrorLike[]): void {
    this.#asking += 1;
    const error = fromGraphQLErrors(errors);
    const reason = resetReason(error);
    if (reason && this.#cursor !== undefined) return this.#startAfresh(reason);
    if (!error.retryable) return this.fail(error);
    this.#failures += 1;
    const delayMs = error.retryAfterMs + backoffMs(this.#failures, this.#options.backoff);
    this.#stop?.();
    this.#stop = undefined;
    this.#enter('connecting');
    this.#timer = setTimeout(() => {
      if (this.#session) this.#subscribe(this.#session);
    }, delayMs);
  }

  #startAfresh(reason: ResetReason): void {
    this.#stop?.();
    this.#cursor = undefined;
    this.#asked = false;
    this.#reset(reason);
    if (this.#session && !this.#ended) this.#subscribe(this.#session);
  }

  #reset(reason: ResetReason): void {
    this.#fence.clear();
    safely(() => this.#request.onReset?.(reason));
  }

  #settleLater(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#enter('live'), this.#options.settleMs);
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

function resetReason({ code }: LiveClientError): ResetReason | undefined {
  return code === 'CURSOR_EXPIRED' || code === 'CURSOR_INVALID' || code === 'CURSOR_FOREIGN'
    ? code
    : undefined;
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
