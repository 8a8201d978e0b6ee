import { anonymous } from '@tidegate/bff';
import { createMetrics } from '@tidegate/runtime/telemetry';
import { describe, expect, it } from 'vitest';
import { Admission } from './admission.ts';
import { createEdgeMetrics } from './metrics.ts';

const limits = { maxConnectionsPerAddress: 2, maxConnectionsPerViewer: 2, maxSubscriptionsPerViewer: 2 };
const one = { viewer: { role: 'customer', id: 'one' }, address: '192.0.2.1' } as const;
const two = { viewer: { role: 'customer', id: 'two' }, address: '192.0.2.1' } as const;
const nobody = { viewer: anonymous, address: '192.0.2.1' };

function create() {
  const metrics = createMetrics({ nodeMetrics: false });
  return { metrics, admission: new Admission({ limits, metrics: createEdgeMetrics(metrics) }) };
}

describe('admission', () => {
  it('refuses an address one connection too many, and takes one again when one has gone', () => {
    const { admission } = create();
    const release = admission.connectionOf('192.0.2.1');
    admission.connectionOf('192.0.2.1');
    expect(() => admission.connectionOf('192.0.2.1')).toThrow('2 connections of an address');
    admission.connectionOf('192.0.2.2');
    release();
    release();
    admission.connectionOf('192.0.2.1');
    expect(() => admission.connectionOf('192.0.2.1')).toThrow('2 connections of an address');
  });

  it('counts a viewer whatever rights its tokens give', () => {
    const { admission } = create();
    admission.connectionFor(one);
    admission.connectionFor({ ...one, viewer: { ...one.viewer, role: 'operator' } });
    expect(() => admission.connectionFor(one)).toThrow(
      expect.objectContaining({ code: 'TOO_MANY_CONNECTIONS' }),
    );
    admission.connectionFor(two);
  });

  it('counts those without a token by their address', () => {
    const { admission } = create();
    for (let count = 0; count < 3; count++) admission.connectionFor(nobody);
    admission.subscription(nobody);
    admission.subscription(nobody);
    expect(() => admission.subscription(nobody)).toThrow('2 subscriptions of a viewer');
    admission.subscription({ ...nobody, address: '192.0.2.2' });
    admission.subscription(one);
  });

  it('holds nothing of those who have left, and says how many it refused and why', async () => {
    const { admission, metrics } = create();
    const releases = [
      admission.connectionOf('192.0.2.1'),
      admission.connectionFor(one),
      admission.subscription(one),
      admission.subscription(one),
    ];
    expect(admission.holders).toBe(3);
    expect(() => admission.subscription(one)).toThrow('subscriptions');
    for (const release of releases) release();
    expect(admission.holders).toBe(0);
    const { body } = await metrics.render();
    expect(body).toContain('tidegate_edge_refusals_total{reason="subscriptions-per-viewer"} 1');
  });
});
