import { TidegateError } from '@tidegate/core';
import { createBreaker, withDeadline } from '@tidegate/runtime/resilience';
import { z } from 'zod';
import type { ProviderAnswer } from './decide.ts';

export type ProviderFetch = (request: Request) => Promise<Response>;

/** Every call carries the order's id as its idempotency key: repeating one is safe. */
export interface ProviderClient {
  authorize(orderId: string, amountCents: number, signal: AbortSignal): Promise<ProviderAnswer>;
  /** Refunds what was authorised for the order; if nothing was, nothing will be. */
  undo(orderId: string, signal: AbortSignal): Promise<ProviderAnswer>;
}

const success = z.object({ reference: z.string().min(1) });
const refusal = z.object({
  error: z.object({ code: z.string().regex(/^[A-Z_]+$/), message: z.string().min(1) }),
});

/**
 * @param options.provider a base URL, or a fetch handler in this process.
 * @throws (the methods) TidegateError UNAVAILABLE when the provider cannot be asked, makes no sense, or has failed so
 *   often that it is left alone for a moment; DEADLINE_EXCEEDED when it does not answer in time.
 */
export function createProviderClient(options: {
  provider: string | ProviderFetch;
  deadlineMs: number;
}): ProviderClient {
  const { provider, deadlineMs } = options;
  const send: ProviderFetch = typeof provider === 'string' ? (request) => fetch(request) : provider;
  const base = typeof provider === 'string' ? provider : 'http://payment-provider';
  const breaker = createBreaker({ name: 'The payment provider', openMs: 1_000 });

  function post(path: string, orderId: string, body: unknown, outer: AbortSignal): Promise<Reply> {
    return breaker.run(() =>
      withDeadline(deadlineMs, outer, async (signal) => {
        const headers = { 'content-type': 'application/json', 'idempotency-key': orderId };
        const request = new Request(new URL(path, base), {
          method: 'POST',
          headers,
          body: JSON.stringify(body),
          signal,
        });
        return replyOf(await send(request).catch(unreachable));
      }),
    );
  }

  return {
    async authorize(orderId, amountCents, signal) {
      const reply = await post('/authorizations', orderId, { orderId, amountCents, currency: 'EUR' }, signal);
      if (reply.status === 402) return { kind: 'declined', reason: parse(refusal, reply).error };
      return { kind: 'authorized', reference: parse(success, reply).reference };
    },

    async undo(orderId, signal) {
      const reply = await post('/refunds', orderId, { orderId }, signal);
      return { kind: 'undone', reference: parse(success, reply).reference };
    },
  };
}

interface Reply {
  readonly status: number;
  readonly body: unknown;
}

/** @throws TidegateError UNAVAILABLE for all that is neither a yes nor a refusal. */
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

function parse<T>(schema: z.ZodType<T>, { status, body }: Reply): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw new TidegateError(
    'UNAVAILABLE',
    `The payment provider answered ${status} with what nobody can read.`,
  );
}
