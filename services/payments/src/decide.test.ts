import { describe, expect, it } from 'vitest';
import { conclude, endPayment, requestPayment, type Payment, type ProviderAnswer } from './decide.ts';

const requested: Payment = { status: 'pending', work: 'authorize', attempts: 0 };
const attempted: Payment = { ...requested, attempts: 1 };
const authorized: Payment = { status: 'authorized', work: null, attempts: 1 };
const refunding: Payment = { status: 'authorized', work: 'refund', attempts: 1 };
const voided: Payment = { status: 'voided', work: null, attempts: 0 };
const voiding: Payment = { status: 'voided', work: 'void', attempts: 0 };
const declined: Payment = { status: 'declined', work: null, attempts: 1 };

const granted: ProviderAnswer = { kind: 'authorized', reference: 'p-1' };
const reason = { code: 'CARD_DECLINED', message: 'The card was declined.' };
const refused: ProviderAnswer = { kind: 'declined', reason };
const refunded: ProviderAnswer = { kind: 'refunded', reference: 'r-1' };
const failed: ProviderAnswer = { kind: 'failed' };

describe('a payment', () => {
  it('is requested when stock is reserved', () => {
    expect(requestPayment(undefined)).toEqual(requested);
  });

  it('is not requested when the order ended before', () => {
    expect(requestPayment(voided)).toBe(voided);
  });

  it('is authorised when the provider grants it', () => {
    expect(conclude(attempted, 'authorize', granted, false)).toEqual({
      payment: authorized,
      fact: { name: 'PaymentAuthorized', reference: 'p-1' },
    });
  });

  it('is declined when the provider refuses it', () => {
    expect(conclude(attempted, 'authorize', refused, false)).toEqual({
      payment: declined,
      fact: { name: 'PaymentDeclined', reason },
    });
  });

  it('stays pending when the provider fails before the last attempt', () => {
    expect(conclude(attempted, 'authorize', failed, false)).toEqual({ payment: attempted });
  });

  it('is declined and voided at the provider when the last attempt fails', () => {
    expect(conclude(attempted, 'authorize', failed, true)).toMatchObject({
      payment: { status: 'declined', work: 'void' },
      fact: { name: 'PaymentDeclined', reason: { code: 'PROVIDER_UNAVAILABLE' } },
    });
  });
});

describe('when the order ends', () => {
  it.each<[string, Payment | undefined, Payment]>([
    ['before the payment is requested, it is voided', undefined, voided],
    ['before the provider was called, it is voided', requested, voided],
    ['during the call to the provider, it is voided there too', attempted, voiding],
    ['after the authorisation, it is refunded', authorized, { ...refunding, attempts: 0 }],
    ['after it was declined, nothing changes', declined, declined],
    ['again, nothing changes', refunding, refunding],
  ])('%s', (_, known, expected) => {
    expect(endPayment(known)).toEqual(expected);
  });

  it('a late authorisation is not published, because it is being voided', () => {
    expect(conclude(voiding, 'authorize', granted, false)).toEqual({ payment: voiding });
  });

  it('publishes the refund that the provider made', () => {
    expect(conclude(refunding, 'refund', refunded, false)).toEqual({
      payment: { ...refunding, status: 'refunded', work: null },
      fact: { name: 'PaymentRefunded', reference: 'r-1' },
    });
  });

  it('retries a refund indefinitely', () => {
    expect(conclude(refunding, 'refund', failed, true)).toEqual({ payment: refunding });
  });

  it('publishes nothing for a void', () => {
    expect(conclude(voiding, 'void', refunded, false)).toEqual({ payment: voided });
  });
});
