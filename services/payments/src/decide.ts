import type { Rejection } from '@order-platform/contracts';

/** Published state of the payment. `voided`: the order ended before the payment was authorised. */
export type PaymentStatus = 'pending' | 'authorized' | 'declined' | 'voided' | 'refunded';

/** Work left to do at the provider. `void` refunds an authorisation whose answer was not seen, if there is one. */
export type ProviderWork = 'authorize' | 'refund' | 'void';

export interface Payment {
  readonly status: PaymentStatus;
  readonly work: ProviderWork | null;
  /** Calls started for the current work. From 1 on the provider may know of it, even if no answer arrived. */
  readonly attempts: number;
}

/** The provider's answer; `failed` when none arrived. */
export type ProviderAnswer =
  | { readonly kind: 'authorized'; readonly reference: string }
  | { readonly kind: 'declined'; readonly reason: Rejection }
  | { readonly kind: 'refunded'; readonly reference: string }
  | { readonly kind: 'failed' };

/** Event to publish. */
export type PaymentFact =
  | { readonly name: 'PaymentAuthorized'; readonly reference: string }
  | { readonly name: 'PaymentDeclined'; readonly reason: Rejection }
  | { readonly name: 'PaymentRefunded'; readonly reference: string };

export const requestedPayment: Payment = { status: 'pending', work: 'authorize', attempts: 0 };

const PROVIDER_UNAVAILABLE: Rejection = {
  code: 'PROVIDER_UNAVAILABLE',
  message: 'The payment provider could not be reached in time; nothing was charged.',
};

/** Returns the payment after stock was reserved: an authorisation to make, unless the order ended before. */
export function requestPayment(known: Payment | undefined): Payment {
  return known ?? requestedPayment;
}

/** Returns the payment after its order was cancelled or rejected: the same object when there is nothing to undo. */
export function endPayment(known: Payment | undefined): Payment {
  if (!known) return { status: 'voided', work: null, attempts: 0 };
  if (known.status === 'pending') {
    return { status: 'voided', work: known.attempts > 0 ? 'void' : null, attempts: 0 };
  }
  if (known.status === 'authorized' && known.work === null) return { ...known, work: 'refund', attempts: 0 };
  return known;
}

/**
 * Returns the payment after the provider's answer to `work`, and the event to publish, if any. An answer to work that
 * was replaced meanwhile changes nothing: the new work undoes its effect. Pure.
 *
 * @param lastAttempt Declines an authorisation that failed instead of leaving it to a retry.
 */
export function conclude(
  payment: Payment,
  work: ProviderWork,
  answer: ProviderAnswer,
  lastAttempt: boolean,
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
    case 'refunded':
      return work === 'refund'
        ? {
            payment: { ...payment, status: 'refunded', work: null },
            fact: { name: 'PaymentRefunded', reference: answer.reference },
          }
        : { payment: { ...payment, work: null } };
    case 'failed':
      // The provider may have authorised a request whose answer was lost: decline the payment and void it there.
      return work === 'authorize' && lastAttempt
        ? {
            payment: { status: 'declined', work: 'void', attempts: 0 },
            fact: { name: 'PaymentDeclined', reason: PROVIDER_UNAVAILABLE },
          }
        : { payment };
  }
}
