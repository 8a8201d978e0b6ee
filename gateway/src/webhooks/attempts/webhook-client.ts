import { TidegateError } from '@tidegate/core';
import { Agent, request, type Dispatcher } from 'undici';
import { parseRetryAfter } from '../deliveries/retry-schedule.ts';
import type { AttemptOutcome } from '../attempt-outcome.ts';
import type { TargetPolicy } from './target-policy.ts';

export interface WebhookClientOptions {
  readonly policy: TargetPolicy;
  /** Limit of a whole attempt in milliseconds: connecting, sending and reading the answer. */
  readonly deadlineMs: number;
  /** Connections to one host. As many as attempts in flight: endpoints of several partners may share a host. */
  readonly connectionsPerHost: number;
}

/** Bytes read of an answer, so that its connection can be reused. A longer answer costs the receiver its connection. */
const MAX_ANSWER_BYTES = 64 * 1024;

/** Sends messages to receivers. */
export class WebhookClient {
  readonly #policy: TargetPolicy;
  readonly #deadlineMs: number;
  readonly #agent: Agent;

  constructor({ policy, deadlineMs, connectionsPerHost }: WebhookClientOptions) {
    this.#policy = policy;
    this.#deadlineMs = deadlineMs;
    this.#agent = new Agent({
      connections: connectionsPerHost,
      pipelining: 1,
      connect: { lookup: policy.lookup, timeout: deadlineMs },
    });
  }

  /**
   * Makes one attempt. Does not follow redirects. Failures are outcomes.
   *
   * @throws the reason of `signal` when it aborts.
   */
  async post(
    url: string,
    headers: Record<string, string>,
    body: string,
    signal: AbortSignal,
  ): Promise<AttemptOutcome> {
    const deadline = AbortSignal.timeout(this.#deadlineMs);
    try {
      // `lookup` checks names when a connection is opened; literal addresses are checked here.
      const target = this.#policy.parseUrl(url);
      const answer = await request(target, {
        dispatcher: this.#agent,
        method: 'POST',
        headers,
        body,
        signal: AbortSignal.any([deadline, signal]),
      });
      await discard(answer.body);
      return outcomeOf(answer);
    } catch (error) {
      signal.throwIfAborted();
      return failureOf(error, deadline.aborted, this.#deadlineMs);
    }
  }

  close(): Promise<void> {
    return this.#agent.destroy();
  }
}

/** Reads the body and ignores its end: the status has decided the outcome, however the body goes on. */
async function discard(body: Dispatcher.ResponseData['body']): Promise<void> {
  let size = 0;
  try {
    for await (const chunk of body) {
      size += (chunk as Buffer).length;
      // Leaving the loop destroys the stream and its connection.
      if (size > MAX_ANSWER_BYTES) break;
    }
  } catch {
    // The connection broke or the deadline passed.
  }
}

function outcomeOf({ statusCode, headers }: Dispatcher.ResponseData): AttemptOutcome {
  if (statusCode >= 200 && statusCode < 300) return { result: 'delivered', httpStatus: statusCode };
  const retryAfter = headers['retry-after'];
  return {
    result: 'failed',
    error: statusCode >= 300 && statusCode < 400 ? 'REDIRECT' : 'HTTP_STATUS',
    message: `The receiver answered ${statusCode}.`,
    httpStatus: statusCode,
    retryAfterMs: parseRetryAfter(typeof retryAfter === 'string' ? retryAfter : undefined, Date.now()),
  };
}

function failureOf(error: unknown, late: boolean, deadlineMs: number): AttemptOutcome {
  if (error instanceof TidegateError) {
    return { result: 'failed', error: 'TARGET_DENIED', message: error.message };
  }
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  if (late || code === 'UND_ERR_CONNECT_TIMEOUT') {
    const message = `There was no answer within ${deadlineMs} ms.`;
    return { result: 'failed', error: 'DEADLINE_EXCEEDED', message };
  }
  return {
    result: 'failed',
    error: 'CONNECTION_FAILED',
    message: `The request could not be made: ${code ?? 'broken off'}.`,
  };
}
