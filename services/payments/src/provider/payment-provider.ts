import { createHash } from 'node:crypto';
import { delay } from '@tidegate/runtime/resilience';
import { z } from 'zod';
import { behaviour, type Behaviour } from './behaviour.ts';

/**
 * A payment provider as it could be bought, simulated: `POST /authorizations {orderId, amountCents, currency}`
 * and `POST /refunds {orderId}`, both idempotent by the `Idempotency-Key` header, and `GET`/`PUT /behaviour` to
 * make it slow or fail. Amounts whose cents end in 13 are declined, always.
 */
export interface PaymentProvider {
  readonly handle: (request: Request) => Promise<Response>;
  /** Orders with money held at the moment: what tests compare with what the platform believes. */
  authorized(): string[];
}

interface Charge {
  readonly orderId: string;
  readonly answer: { readonly status: 201 | 402; readonly body: unknown };
  held: boolean;
}

const authorization = z.object({
  orderId: z.string().min(1).max(64),
  amountCents: z.int().min(0),
  currency: z.literal('EUR'),
});
const refund = z.object({ orderId: z.string().min(1).max(64) });

/** It forgets the oldest charges beyond these: a simulation need not grow for ever. */
const CHARGES_KEPT = 200_000;

export function createPaymentProvider(options: { random?: () => number } = {}): PaymentProvider {
  const { random = Math.random } = options;
  const charges = new Map<string, Charge>();
  let now: Behaviour = behaviour.parse({});

  async function handle(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    const route = routes[`${request.method} ${pathname}`];
    if (!route) return json(404, failure('NOT_FOUND', 'There is no such address.'));
    return route(request);
  }

  const routes: Record<string, (request: Request) => Promise<Response>> = {
    'GET /behaviour': () => Promise.resolve(json(200, now)),
    'PUT /behaviour': (request) =>
      withBody(request, behaviour, (body) => {
        now = body;
        return json(200, now);
      }),
    'POST /authorizations': (request) => misbehaving(() => withBody(request, authorization, authorize)),
    'POST /refunds': (request) => misbehaving(() => withBody(request, refund, undo)),
  };

  /** Fails before anything happens and is slow after it did: a caller that times out cannot know. */
  async function misbehaving(answer: () => Promise<Response>): Promise<Response> {
    const { delayMs, failRate } = now;
    const response =
      random() < failRate ? json(503, failure('UNAVAILABLE', 'The provider is down.')) : await answer();
    if (delayMs > 0) await delay(delayMs);
    return response;
  }

  function authorize(body: z.infer<typeof authorization>, key: string): Response {
    const charge = charges.get(key) ?? remember(key, decide(body));
    return json(charge.answer.status, charge.answer.body);
  }

  function decide({ orderId, amountCents }: z.infer<typeof authorization>): Charge {
    if (amountCents % 100 === 13 || random() < now.declineRate) {
      return declined(orderId, 'CARD_DECLINED', 'The card was declined by its bank.');
    }
    const body = { reference: reference('auth', orderId), amountCents };
    return { orderId, answer: { status: 201, body }, held: true };
  }

  function undo({ orderId }: z.infer<typeof refund>, key: string): Response {
    const charge = charges.get(key);
    const refunded = charge?.answer.status === 201;
    if (charge) charge.held = false;
    // The authorisation may still be on its way here: it must not be granted after its refund.
    else remember(key, declined(orderId, 'VOIDED', 'The payment was voided before it was authorised.'));
    return json(200, { reference: reference('refund', orderId), refunded });
  }

  function remember(key: string, charge: Charge): Charge {
    charges.set(key, charge);
    if (charges.size > CHARGES_KEPT) charges.delete(charges.keys().next().value!);
    return charge;
  }

  return {
    handle,
    authorized: () => [...charges.values()].filter(({ held }) => held).map(({ orderId }) => orderId),
  };
}

function declined(orderId: string, code: string, message: string): Charge {
  return { orderId, answer: { status: 402, body: failure(code, message) }, held: false };
}

async function withBody<T>(
  request: Request,
  schema: z.ZodType<T>,
  answer: (body: T, key: string) => Response,
): Promise<Response> {
  const parsed = schema.safeParse(await request.json().catch(() => undefined));
  if (!parsed.success) return json(400, failure('BAD_REQUEST', z.prettifyError(parsed.error)));
  const key = request.headers.get('idempotency-key');
  if (!key && request.method === 'POST') {
    return json(400, failure('BAD_REQUEST', 'The Idempotency-Key header is missing.'));
  }
  return answer(parsed.data, key ?? '');
}

function reference(kind: string, orderId: string): string {
  return `${kind}_${createHash('sha256').update(orderId).digest('hex').slice(0, 16)}`;
}

function failure(code: string, message: string) {
  return { error: { code, message } };
}

function json(status: number, body: unknown): Response {
  return Response.json(body, { status });
}
