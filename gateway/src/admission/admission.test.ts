import { anonymous } from '@tidegate/bff';
import { createMetrics } from '@tidegate/runtime/telemetry';
import { describe, expect, it } from 'vitest';
import { Admission } from './admission.ts';
import { createEdgeMetrics } from './metrics.ts';

const limits = {
  maxConnectionsPerAddress: 2,
  maxConnectionsPerViewer: 2,
  maxSubscriptionsPerViewer: 2,
  maxReservationsPerAddress: 3,
  maxReservationsPerViewer: 2,
  maxOperationBytesPerConnection: 1_000_000,
  maxOperationBytesPerAddress: 1_000_000,
};
const one = { viewer: { role: 'member', id: 'one' }, address: '192.0.2.1' } as const;
const two = { viewer: { role: 'member', id: 'two' }, address: '192.0.2.1' } as const;
const nobody = { viewer: anonymous, address: '192.0.2.1' };

function create() {
  const metrics = createMetrics({ nodeMetrics: false });
  return { metrics, admission: new Admission({ limits, metrics: createEdgeMetrics(metrics) }) };
}

describe('admission', () => {
  it('refuses a connection above the maximum of an address, and admits one again after a release', () => {
    const { admission } = create();
    const release = admission.admitAddress('192.0.2.1');
    admission.admitAddress('192.0.2.1');
    expect(() => admission.admitAddress('192.0.2.1')).toThrow('2 connections of an address');
    admission.admitAddress('192.0.2.2');
    release();
    release();
    admission.admitAddress('192.0.2.1');
    expect(() => admission.admitAddress('192.0.2.1')).toThrow('2 connections of an address');
  });

  it('counts a viewer independently of the role of its tokens', () => {
    const { admission } = create();
    admission.admitViewer(one.viewer);
    admission.admitViewer({ ...one.viewer, role: 'operator' });
    expect(() => admission.admitViewer(one.viewer)).toThrow(
      expect.objectContaining({ code: 'TOO_MANY_CONNECTIONS' }),
    );
    admission.admitViewer(two.viewer);
  });

  it('counts subscriptions without a token by their address', () => {
    const { admission } = create();
    for (let count = 0; count < 3; count++) admission.admitViewer(nobody.viewer);
    admission.admitSubscription(nobody);
    admission.admitSubscription(nobody);
    expect(() => admission.admitSubscription(nobody)).toThrow('2 subscriptions of a viewer');
    admission.admitSubscription({ ...nobody, address: '192.0.2.2' });
    admission.admitSubscription(one);
  });

  it('holds nothing after all releases, and counts refusals by reason', async () => {
    const { admission, metrics } = create();
    const releases = [
      admission.admitAddress('192.0.2.1'),
      admission.admitViewer(one.viewer),
      admission.admitSubscription(one),
      admission.admitSubscription(one),
    ];
    expect(admission.holders).toBe(3);
    expect(() => admission.admitSubscription(one)).toThrow('subscriptions');
    for (const release of releases) release();
    expect(admission.holders).toBe(0);
    const { body } = await metrics.render();
    expect(body).toContain('tidegate_edge_refusals_total{reason="subscriptions-per-viewer"} 1');
  });

  it('refuses reservations above the maximum of an address, and of a viewer, with a time to come back', () => {
    const { admission } = create();
    const releases = [admission.admitReservation(one), admission.admitReservation(one)];
    const refused = expect.objectContaining({
      code: 'RATE_LIMITED',
      details: { max: 2, retryAfterMs: expect.any(Number) },
    });
    expect(() => admission.admitReservation(one)).toThrow(refused);
    expect(() => admission.admitReservation({ ...one, address: '192.0.2.2' })).toThrow(refused);
    releases.push(admission.admitReservation(two));
    expect(() => admission.admitReservation(two)).toThrow('3 unopened event streams of an address');
    for (const release of releases) release();
    expect(admission.holders).toBe(0);
    admission.admitReservation(two);
  });

  it('leaves room for reservations with a token at an address that has its maximum without one', () => {
    const { admission } = create();
    for (let count = 0; count < 3; count++) admission.admitReservation(nobody);
    expect(() => admission.admitReservation(nobody)).toThrow('3 unopened event streams of an address');
    admission.admitReservation(one);
  });
});
