import type { Rejection } from '@order-platform/contracts';

/** What has been said about the payment; `voided`: the order ended before anything was authorised. */
export type PaymentStatus = 'pending' | 'authorized' | 'declined' | 'voided' | 'refunded';

/** What is still to be done at the provider; `void` undoes what may have been authorised without our knowing. */
export type ProviderWork = 'authorize' | 'refund' | 'void';

export interface Payment {
  readonly status: PaymentStatus;
  readonly work: ProviderWork | null;
  /** Calls begun for the present work: from 1 on the provider may know of it, whatever became of the answer. */
  readonly attempts: number;
}

/** What the provider said, or that it could not be asked. */
export type ProviderAnswer =
  | { readonly kind: 'authorized'; readonly reference: string }
  | { readonly kind: 'declined'; readonly reason: Rejection }
  | { readonly kind: 'undone'; readonly reference: string }
  | { readonly kind: 'failed' };

/** A fact to publish. */
export type PaymentFact =
  | { readonly name: 'PaymentAuthorized'; readonly reference: string }
  | { readonly name: 'PaymentDeclined'; readonly reason: Rejection }
  | { readonly name: 'PaymentRefunded'; readonly reference: string };

export const requestedPayment: Payment = { status: 'pending', work: 'authorize', attempts: 0 };

const PROVIDER_UNAVAILABLE: Rejection = {
  code: 'PROVIDER_UNAVAILABLE',
  message: 'The payment provider could not be reached in time; nothing was charged.',
};

/** Stock is held: ask for the money, unless the order ended before we heard of it. */
export function requestPayment(known: Payment | undefined): Payment {
  return known ?? requestedPayment;
}

/** The order ended (cancelled or rejected): nothing may stay charged. The same object: nothing to do. */
export function endPayment(known: Payment | undefined): Payment {
  if (!known) return { status: 'voided', work: null, attempts: 0 };
  if (known.status === 'pending') {
    return { status: 'voided', work: known.attempts > 0 ? 'void' : null, attempts: 0 };
  }
  if (known.status === 'authorized' && known.work === null) return { ...known, work: 'refund', attempts: 0 };
  return known;
}

/**
 * What follows from the answer to `work`. An answer to work that is no longer wanted changes nothing: whoever
 * changed their mind has left other work behind.
 */
export function conclude(
  payment: Payment,
  work: ProviderWork,
  answer: ProviderAnswer,
  givingUp: boolean,
): { readonly payment: Payment; readonly fact?: PaymentFact } {
  if (payment.work !== work) return { payment };
  switch (answer.kind) {
    case 'authorized':
      return {
        payment: { ...payment, status: 'authorized', work: null },
        fact: { name: 'PaymentAuthorized', reference: answer.reference },
      };
    case 'declined':
      return {
        payment: { ...payment, status: 'declined', work: null },
        fact: { name: 'PaymentDeclined', reason: answer.reason },
      };
    case 'undone':
      return work === 'refund'
        ? {
            payment: { ...payment, status: 'refunded', work: null },
            fact: { name: 'PaymentRefunded', reference: answer.reference },
          }
        : { payment: { ...payment, work: null } };
    case 'failed':
      // An unanswered request may have been granted: it is declined to the order and undone at the provider.
      return work === 'authorize' && givingUp
        ? {
            payment: { status: 'declined', work: 'void', attempts: 0 },
            fact: { name: 'PaymentDeclined', reason: PROVIDER_UNAVAILABLE },
          }
        : { payment };
  }
}
