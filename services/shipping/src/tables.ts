import type { OutboxTables } from '@tidegate/messaging';
import type { ShipmentStatus } from './decide.ts';

export interface ShipmentsTable {
  order_id: string;
  shipment_id: string;
  status: ShipmentStatus;
  due_at: number | null;
  /** Sequence of the shipment's last event. */
  sequence: number;
  cause_id: string;
  traceparent: string | null;
}

export interface ShippingTables extends OutboxTables {
  shipments: ShipmentsTable;
}
