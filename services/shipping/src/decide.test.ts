import { describe, expect, it } from 'vitest';
import {
  advanceShipment,
  parcelOf,
  prepareShipment,
  shipmentIdOf,
  stopShipment,
  type Shipment,
} from './decide.ts';

const times = { prepareMs: 100, deliverMs: 1000 };
const preparing: Shipment = { status: 'preparing', dueAt: 1100 };
const dispatched: Shipment = { status: 'dispatched', dueAt: 2100 };
const delivered: Shipment = { status: 'delivered', dueAt: null };
const stopped: Shipment = { status: 'stopped', dueAt: null };

describe('a shipment', () => {
  it('is prepared, then dispatched, then delivered, each when it is due', () => {
    expect(prepareShipment(1000, times)).toEqual(preparing);
    expect(advanceShipment(preparing, 1100, times)).toEqual(dispatched);
    expect(advanceShipment(dispatched, 2100, times)).toEqual(delivered);
  });

  it.each([
    ['preparation', preparing, 1099],
    ['delivery', dispatched, 2099],
  ])('does not end its %s early', (_, shipment, nowMs) => {
    expect(advanceShipment(shipment, nowMs, times)).toBeUndefined();
  });

  it('stops while it is being prepared', () => {
    expect(stopShipment(preparing)).toEqual(stopped);
  });

  it.each([
    ['dispatched', dispatched],
    ['delivered', delivered],
    ['stopped', stopped],
  ])('is not stopped when it is %s', (_, shipment) => {
    expect(stopShipment(shipment)).toBeUndefined();
  });

  it.each([delivered, stopped])('has no stage after %j', (shipment) => {
    expect(advanceShipment(shipment, 9999, times)).toBeUndefined();
  });

  it('has an id and a parcel derived from the order id', () => {
    expect(shipmentIdOf('o1')).toBe(shipmentIdOf('o1'));
    expect(shipmentIdOf('o1')).not.toBe(shipmentIdOf('o2'));
    expect(parcelOf('s1')).toEqual(parcelOf('s1'));
  });
});
