import { describe, expect, it } from 'vitest';
import { createPaymentProvider, type PaymentProvider } from './payment-provider.ts';

function call(provider: PaymentProvider, method: string, path: string, body?: unknown, key = 'o1') {
  const headers = { 'idempotency-key': key, 'content-type': 'application/json' };
  const init = body === undefined ? { method, headers } : { method, headers, body: JSON.stringify(body) };
  return provider.handle(new Request(`http://provider${path}`, init));
}

const authorization = { orderId: 'o1', amountCents: 1999, currency: 'EUR' };

describe('the simulated payment provider', () => {
  it('grants an authorisation and returns the same answer to the same key', async () => {
    const provider = createPaymentProvider();
    const first = await call(provider, 'POST', '/authorizations', authorization);
    expect(first.status).toBe(201);
    const again = await call(provider, 'POST', '/authorizations', { ...authorization, amountCents: 13 });
    expect(await again.json()).toEqual(await first.json());
    expect(provider.authorized()).toEqual(['o1']);
  });

  it('declines amounts whose cents end in 13', async () => {
    const provider = createPaymentProvider();
    const response = await call(provider, 'POST', '/authorizations', { ...authorization, amountCents: 2013 });
    expect(response.status).toBe(402);
    expect(await response.json()).toMatchObject({ error: { code: 'CARD_DECLINED' } });
  });

  it('refunds an authorisation, also when asked again', async () => {
    const provider = createPaymentProvider();
    await call(provider, 'POST', '/authorizations', authorization);
    for (let time = 0; time < 2; time++) {
      const response = await call(provider, 'POST', '/refunds', { orderId: 'o1' });
      expect(await response.json()).toMatchObject({ refunded: true });
    }
    expect(provider.authorized()).toEqual([]);
  });

  it('declines an authorisation that was refunded before it arrived', async () => {
    const provider = createPaymentProvider();
    await call(provider, 'POST', '/refunds', { orderId: 'o1' });
    const response = await call(provider, 'POST', '/authorizations', authorization);
    expect(response.status).toBe(402);
  });

  it('fails at the configured rate and returns its behaviour', async () => {
    const provider = createPaymentProvider();
    await call(provider, 'PUT', '/behaviour', { failRate: 1 });
    expect((await call(provider, 'POST', '/authorizations', authorization)).status).toBe(503);
    const behaviour = await call(provider, 'GET', '/behaviour');
    expect(await behaviour.json()).toEqual({ delayMs: 0, failRate: 1, declineRate: 0 });
    expect(provider.authorized()).toEqual([]);
  });

  it.each([
    ['an unknown setting', 'PUT', '/behaviour', { slow: true }, 400],
    [
      'an authorisation without an amount',
      'POST',
      '/authorizations',
      { orderId: 'o1', currency: 'EUR' },
      400,
    ],
    ['an unknown address', 'GET', '/', undefined, 404],
  ])('refuses %s', async (_, method, path, body, status) => {
    expect((await call(createPaymentProvider(), method, path, body)).status).toBe(status);
  });

  it('refuses an authorisation without a key', async () => {
    const response = await call(createPaymentProvider(), 'POST', '/authorizations', authorization, '');
    expect(response.status).toBe(400);
  });
});
