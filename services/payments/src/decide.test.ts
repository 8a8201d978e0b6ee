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
const undone: ProviderAnswer = { kind: 'undone', reference: 'r-1' };
const failed: ProviderAnswer = { kind: 'failed' };

describe('a payment', () => {
  it('is asked for once stock is held', () => {
    expect(requestPayment(undefined)).toEqual(requested);
  });

  it('is not asked for when the order ended before', () => {
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

  it('stays pending when the provider fails and there is time left', () => {
    expect(conclude(attempted, 'authorize', failed, false)).toEqual({ payment: attempted });
  });

  it('is declined and undone at the provider when time is up', () => {
    expect(conclude(attempted, 'authorize', failed, true)).toMatchObject({
      payment: { status: 'declined', work: 'void' },
      fact: { name: 'PaymentDeclined', reason: { code: 'PROVIDER_UNAVAILABLE' } },
    });
  });
});

describe('when the order ends', () => {
  it.each<[string, Payment | undefined, Payment]>([
    ['before the payment is known, it is voided', undefined, voided],
    ['before the provider was asked, it is voided', requested, voided],
    ['while the provider is asked, it is voided and undone there', attempted, voiding],
    ['after it was authorised, it is to be refunded', authorized, { ...refunding, attempts: 0 }],
    ['after it was declined, nothing changes', declined, declined],
    ['again, nothing changes', refunding, refunding],
  ])('%s', (_, known, expected) => {
    expect(endPayment(known)).toEqual(expected);
  });

  it('a late grant is not published: it is being undone', () => {
    expect(conclude(voiding, 'authorize', granted, false)).toEqual({ payment: voiding });
  });

  it('a refund is published when the provider has made it', () => {
    expect(conclude(refunding, 'refund', undone, false)).toEqual({
      payment: { ...refunding, status: 'refunded', work: null },
      fact: { name: 'PaymentRefunded', reference: 'r-1' },
    });
  });

  it('a refund is tried for ever', () => {
    expect(conclude(refunding, 'refund', failed, true)).toEqual({ payment: refunding });
  });

  it('nobody is told of what was undone without having been authorised', () => {
    expect(conclude(voiding, 'void', undone, false)).toEqual({ payment: voided });
  });
});
