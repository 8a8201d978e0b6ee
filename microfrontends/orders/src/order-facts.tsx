import { formatMoment } from './format.ts';
import type { Order } from './order.ts';

/** Customer, payment and shipment of an order; facts without a value are left out. */
export function OrderFacts({ order }: { order: Order }) {
  return (
    <dl class="facts">
      <Fact name="Customer" value={order.customerId} />
      <Fact name="Placed" value={formatMoment(order.placedAt)} />
      <Fact name="Payment" value={describePayment(order.payment)} />
      <Fact name="Carrier" value={order.shipment?.carrier} />
      <Fact name="Tracking" value={order.shipment?.trackingCode} />
      <Fact name="Note" value={order.note} />
    </dl>
  );
}

function Fact({ name, value }: { name: string; value: string | null | undefined }) {
  if (!value) return null;
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function describePayment(payment: Order['payment']): string | undefined {
  if (!payment) return undefined;
  const status = payment.status.charAt(0) + payment.status.slice(1).toLowerCase();
  return [status, payment.reference].filter(Boolean).join(' · ');
}
