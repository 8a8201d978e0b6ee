import { TidegateError } from '@tidegate/errors';
import { z } from 'zod';
import type { ProviderAnswer } from './payment.ts';

export type ProviderFetch = (request: Request) => Promise<Response>;

/** Every call carries the order's id as its idempotency key: repeating one is safe. */
export interface ProviderClient {
  authorize(orderId: string, amountCents: number, signal: AbortSignal): Promise<ProviderAnswer>;
  /** Refunds what was authorised for the order; if nothing was, nothing will be. */
  undo(orderId: string, signal: AbortSignal): Promise<ProviderAnswer>;
}

const success = z.object({ reference: z.string().min(1) });
const refusal = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

/**
 * @param options.provider a base URL, or a fetch handler in this process.
 * @throws (the methods) TidegateError UNAVAILABLE when the provider cannot be asked or makes no sense,
 *   DEADLINE_EXCEEDED when it does not answer in time.
 */
export function createProviderClient(options: {
  provider: string | ProviderFetch;
  deadlineMs: number;
}): ProviderClient {
  const { provider, deadlineMs } = options;
  const send: ProviderFetch = typeof provider === 'string' ? (request) => fetch(request) : provider;
  const base = typeof provider === 'string' ? provider : 'http://payment-provider';

  async function post(path: string, orderId: string, body: unknown, signal: AbortSignal): Promise<Response> {
    const request = new Request(new URL(path, base), {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': orderId },
      body: JSON.stringify(body),
      signal: AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]),
    });
    return untilAborted(request.signal, () => send(request));
  }

  return {
    async authorize(orderId, amountCents, signal) {
      const body = { orderId, amountCents, currency: 'EUR' };
      const response = await post('/authorizations', orderId, body, signal);
      if (response.status === 402) {
        const { error } = await parse(response, refusal);
        return { kind: 'declined', reason: { code: error.code, message: error.message } };
      }
      const { reference } = await parse(await expectOk(response), success);
      return { kind: 'authorized', reference };
    },

    async undo(orderId, signal) {
      const response = await expectOk(await post('/refunds', orderId, { orderId }, signal));
      const { reference } = await parse(response, success);
      return { kind: 'undone', reference };
    },
  };
}

/** A handler in this process need not heed the request's signal; the deadline holds all the same. */
async function untilAborted(signal: AbortSignal, call: () => Promise<Response>): Promise<Response> {
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(signal.reason as Error);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([call(), aborted.promise]);
  } catch (cause) {
    const late = (cause as Error).name === 'TimeoutError';
    throw late
      ? new TidegateError('DEADLINE_EXCEEDED', 'the payment provider did not answer in time', { cause })
      : new TidegateError('UNAVAILABLE', 'the payment provider cannot be reached', { cause });
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

async function expectOk(response: Response): Promise<Response> {
  if (response.ok) return response;
  await response.body?.cancel();
  throw new TidegateError('UNAVAILABLE', `the payment provider answered ${response.status}`);
}

async function parse<T>(response: Response, schema: z.ZodType<T>): Promise<T> {
  try {
    return schema.parse(await response.json());
  } catch (cause) {
    throw new TidegateError('UNAVAILABLE', 'the payment provider answered what nobody can read', { cause });
  }
}
