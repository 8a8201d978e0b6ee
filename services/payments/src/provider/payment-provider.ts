import { createHash } from 'node:crypto';
import { delay } from '@tidegate/runtime/resilience';
import { z } from 'zod';
import { behaviour, type Behaviour } from './behaviour.ts';

/**
 * A simulated payment provider: `POST /authorizations {orderId, amountCents, currency}` and `POST /refunds {orderId}`,
 * both idempotent by the `Idempotency-Key` header, and `GET`/`PUT /behaviour`, which makes it slow or fail. It always
 * declines amounts whose cents end in 13.
 */
export interface PaymentProvider {
  readonly handle: (request: Request) => Promise<Response>;
  /** Returns the ids of orders with an authorisation that is not refunded. */
  authorized(): string[];
}

/**
 * Creates the simulated payment provider.
 *
 * @param options.random Returns numbers from 0 to 1 that decide failures and declines. Default `Math.random`.
 */
export function createPaymentProvider(options: { random?: () => number } = {}): PaymentProvider {
  return new SimulatedPaymentProvider(options.random ?? Math.random);
}

interface Charge {
  readonly orderId: string;
  readonly answer: { readonly status: 201 | 402; readonly body: unknown };
  /** True from the authorisation to the refund. */
  held: boolean;
}

const authorization = z.object({
  orderId: z.string().min(1).max(64),
  amountCents: z.int().min(0),
  currency: z.literal('EUR'),
});
const refund = z.object({ orderId: z.string().min(1).max(64) });

/** Maximum charges kept. The oldest is evicted first. */
const MAX_CHARGES = 200_000;

class SimulatedPaymentProvider implements PaymentProvider {
  readonly #random: () => number;
  readonly #charges = new Map<string, Charge>();
  #behaviour: Behaviour = behaviour.parse({});

  constructor(random: () => number) {
    this.#random = random;
  }

  readonly handle = async (request: Request): Promise<Response> => {
    const { pathname } = new URL(request.url);
    switch (`${request.method} ${pathname}`) {
      case 'GET /behaviour':
        return json(200, this.#behaviour);
      case 'PUT /behaviour':
        return withBody(request, behaviour, (body) => json(200, (this.#behaviour = body)));
      case 'POST /authorizations':
        return this.#misbehave(() => withBody(request, authorization, (...call) => this.#authorize(...call)));
      case 'POST /refunds':
        return this.#misbehave(() => withBody(request, refund, (...call) => this.#refund(...call)));
      default:
        return json(404, failure('NOT_FOUND', 'There is no such address.'));
    }
  };

  authorized(): string[] {
    return [...this.#charges.values()].filter(({ held }) => held).map(({ orderId }) => orderId);
  }

  /** Fails before the call has an effect and delays after it: a caller that times out cannot know its outcome. */
  async #misbehave(answer: () => Promise<Response>): Promise<Response> {
    const { delayMs, failRate } = this.#behaviour;
    const response =
      this.#random() < failRate ? json(503, failure('UNAVAILABLE', 'The provider is down.')) : await answer();
    if (delayMs > 0) await delay(delayMs);
    return response;
  }

  #authorize(body: z.infer<typeof authorization>, key: string): Response {
    const charge = this.#charges.get(key) ?? this.#keep(key, this.#decide(body));
    return json(charge.answer.status, charge.answer.body);
  }

  #decide({ orderId, amountCents }: z.infer<typeof authorization>): Charge {
    if (amountCents % 100 === 13 || this.#random() < this.#behaviour.declineRate) {
      return declined(orderId, 'CARD_DECLINED', 'The card was declined by its bank.');
    }
    const body = { reference: reference('auth', orderId), amountCents };
    return { orderId, answer: { status: 201, body }, held: true };
  }

  #refund({ orderId }: z.infer<typeof refund>, key: string): Response {
    const charge = this.#charges.get(key);
    const refunded = charge?.answer.status === 201;
    if (charge) charge.held = false;
    // The authorisation may still be under way: it must not be granted after its refund.
    else this.#keep(key, declined(orderId, 'VOIDED', 'The payment was voided before it was authorised.'));
    return json(200, { reference: reference('refund', orderId), refunded });
  }

  #keep(key: string, charge: Charge): Charge {
    this.#charges.set(key, charge);
    if (this.#charges.size > MAX_CHARGES) this.#charges.delete(this.#charges.keys().next().value!);
    return charge;
  }
}

function declined(orderId: string, code: string, message: string): Charge {
  return { orderId, answer: { status: 402, body: failure(code, message) }, held: false };
}

/** Parses the body and the idempotency key, and answers 400 when either is invalid. */
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
