import { TidegateError } from '@tidegate/core';
import { Agent, request, type Dispatcher } from 'undici';
import { parseRetryAfter } from './retry-schedule.ts';
import type { TargetPolicy } from './target-policy.ts';

/** Why an attempt failed, as partners read it. */
export const attemptErrors = [
  /** The receiver answered, with something else than 2xx or 3xx. */
  'HTTP_STATUS',
  /** 3xx: the address is signed for, what it points to is not. Register the new address. */
  'REDIRECT',
  'DEADLINE_EXCEEDED',
  /** No connection, a broken one, or a TLS certificate that is not valid. */
  'CONNECTION_FAILED',
  /** The address is, or resolves to, one that nothing may be sent to. */
  'TARGET_DENIED',
  /** The document could not be executed; the receiver was not called. */
  'RENDER_FAILED',
] as const;
export type AttemptError = (typeof attemptErrors)[number];

export type PostOutcome =
  | { readonly result: 'delivered'; readonly httpStatus: number }
  | {
      readonly result: 'failed';
      readonly error: AttemptError;
      readonly message: string;
      readonly httpStatus?: number;
      readonly retryAfterMs?: number | undefined;
    };

export interface WebhookClient {
  /** One attempt. Never follows a redirect. @throws the signal's reason when it aborts; everything else is an outcome */
  post(url: string, headers: Record<string, string>, body: string, signal: AbortSignal): Promise<PostOutcome>;
  close(): Promise<void>;
}

export interface WebhookClientOptions {
  readonly policy: TargetPolicy;
  /** For the whole of an attempt: connecting, sending, the answer's head and body. */
  readonly deadlineMs: number;
  readonly connectionsPerEndpoint: number;
}

/** Enough of an answer to let the connection be used again; what is longer costs the receiver its connection. */
const MAX_ANSWER_BYTES = 64 * 1024;

export function createWebhookClient(options: WebhookClientOptions): WebhookClient {
  const { policy, deadlineMs } = options;
  const agent = new Agent({
    connections: options.connectionsPerEndpoint,
    pipelining: 1,
    connect: { lookup: policy.lookup, timeout: deadlineMs },
  });

  async function send(
    url: URL,
    headers: Record<string, string>,
    body: string,
    signal: AbortSignal,
  ): Promise<PostOutcome> {
    const answer = await request(url, { dispatcher: agent, method: 'POST', headers, body, signal });
    await discard(answer.body);
    return outcomeOf(answer);
  }

  return {
    async post(url, headers, body, signal) {
      const deadline = AbortSignal.timeout(deadlineMs);
      try {
        // A literal address is not looked up: it is checked here, each time, and a name when it is connected to.
        return await send(policy.parseUrl(url), headers, body, AbortSignal.any([deadline, signal]));
      } catch (error) {
        signal.throwIfAborted();
        return failureOf(error, deadline.aborted, deadlineMs);
      }
    },
    close: () => agent.destroy(),
  };
}

/** The status has decided already: an answer that is too long, breaks off or never ends changes nothing. */
async function discard(body: Dispatcher.ResponseData['body']): Promise<void> {
  let size = 0;
  try {
    // Leaving the loop destroys the stream and its connection.
    for await (const chunk of body) {
      size += (chunk as Buffer).length;
      if (size > MAX_ANSWER_BYTES) break;
    }
  } catch {
    // Broken off, or cut by the deadline.
  }
}

function outcomeOf({ statusCode, headers }: Dispatcher.ResponseData): PostOutcome {
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

function failureOf(error: unknown, late: boolean, deadlineMs: number): PostOutcome {
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
