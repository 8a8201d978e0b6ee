import { TidegateError } from '@tidegate/core';
import { createBreaker, withDeadline, type Breaker } from '@tidegate/runtime/resilience';
import type { Metrics } from '@tidegate/runtime/telemetry';
import { z } from 'zod';
import type { ProviderAnswer } from './decide.ts';

export type ProviderFetch = (request: Request) => Promise<Response>;

const success = z.object({ reference: z.string().min(1) });
const refusal = z.object({
  error: z.object({ code: z.string().regex(/^[A-Z_]+$/), message: z.string().min(1) }),
});

/**
 * Client of the payment provider, behind a circuit breaker. Each call carries the order id as its idempotency key, so
 * repeating it is safe. All methods throw TidegateError UNAVAILABLE when the provider is unreachable, answers with an
 * unknown status or body, or the breaker is open, and DEADLINE_EXCEEDED when it does not answer in time.
 */
export class ProviderClient {
  readonly #send: ProviderFetch;
  readonly #baseUrl: string;
  readonly #deadlineMs: number;
  readonly #breaker: Breaker;

  constructor(options: {
    /** Base URL of the provider, or its fetch handler in this process. */
    readonly provider: string | ProviderFetch;
    /** Deadline of one call, in milliseconds. */
    readonly deadlineMs: number;
    /** Shows the state of the breaker. Default: not shown. */
    readonly metrics?: Metrics | undefined;
  }) {
    const { provider, deadlineMs, metrics } = options;
    const name = 'The payment provider';
    this.#breaker = createBreaker({ name, label: 'payment-provider', openMs: 1_000, metrics });
    this.#send = typeof provider === 'string' ? (request) => fetch(request) : provider;
    this.#baseUrl = typeof provider === 'string' ? provider : 'http://payment-provider';
    this.#deadlineMs = deadlineMs;
  }

  /** Authorises the amount for the order. */
  async authorize(orderId: string, amountCents: number, signal: AbortSignal): Promise<ProviderAnswer> {
    const body = { orderId, amountCents, currency: 'EUR' };
    const reply = await this.#post('/authorizations', orderId, body, signal);
    if (reply.status === 402) return { kind: 'declined', reason: parse(refusal, reply).error };
    return { kind: 'authorized', reference: parse(success, reply).reference };
  }

  /** Refunds the order's authorisation. If there is none, the provider will decline a later one. */
  async refund(orderId: string, signal: AbortSignal): Promise<ProviderAnswer> {
    const reply = await this.#post('/refunds', orderId, { orderId }, signal);
    return { kind: 'refunded', reference: parse(success, reply).reference };
  }

  #post(path: string, orderId: string, body: unknown, outer: AbortSignal): Promise<Reply> {
    return this.#breaker.run(() =>
      withDeadline(this.#deadlineMs, outer, async (signal) => {
        const headers = { 'content-type': 'application/json', 'idempotency-key': orderId };
        const request = new Request(new URL(path, this.#baseUrl), {
          method: 'POST',
          headers,
          body: JSON.stringify(body),
          signal,
        });
        return replyOf(await this.#send(request).catch(unreachable));
      }),
    );
  }
}

interface Reply {
  readonly status: number;
  readonly body: unknown;
}

/** @throws TidegateError UNAVAILABLE when the status is neither a success nor 402. */
async function replyOf(response: Response): Promise<Reply> {
  const { status } = response;
  if (response.ok || status === 402) {
    return { status, body: await response.json().catch(() => undefined) };
  }
  await response.body?.cancel();
  throw new TidegateError('UNAVAILABLE', `The payment provider answered ${status}.`);
}

function unreachable(cause: unknown): never {
  throw new TidegateError('UNAVAILABLE', 'The payment provider cannot be reached.', { cause });
}

/** @throws TidegateError UNAVAILABLE when the body does not match the schema. */
function parse<T>(schema: z.ZodType<T>, { status, body }: Reply): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw new TidegateError(
    'UNAVAILABLE',
    `The payment provider answered ${status} with what nobody can read.`,
  );
}
