import { describe, expect, it } from 'vitest';
import { createMetrics } from './metrics.ts';

describe('metrics', () => {
  const metrics = createMetrics({ nodeMetrics: false });

  it('render in Prometheus text format', async () => {
    metrics
      .counter({ name: 'tidegate_deliveries_total', help: 'Deliveries.', labels: ['outcome'] })
      .inc({ outcome: 'ok' }, 2);
    metrics.gauge({ name: 'tidegate_connections', help: 'Connections.', collect: (gauge) => gauge.set(7) });
    metrics.counter({
      name: 'tidegate_elsewhere_total',
      help: 'Counted elsewhere.',
      collect: (counter) => {
        counter.reset();
        counter.inc(3);
      },
    });
    metrics.histogram({ name: 'tidegate_hop_seconds', help: 'A hop.', buckets: [0.1, 1] }).observe(0.5);
    const { contentType, body } = await metrics.render();
    expect(contentType).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(body).toContain('tidegate_deliveries_total{outcome="ok"} 2');
    expect(body).toContain('tidegate_connections 7');
    expect((await metrics.render()).body).toContain('tidegate_elsewhere_total 3');
    expect(body).toContain('tidegate_hop_seconds_bucket{le="1"} 1');
  });

  it('are the same metric when requested twice', () => {
    const options = { name: 'tidegate_twice_total', help: 'Twice.' } as const;
    expect(metrics.counter(options)).toBe(metrics.counter(options));
    expect(() => metrics.gauge(options)).toThrow('exists and is of another type');
  });

  it('have names that begin with tidegate_', () => {
    expect(() => metrics.counter({ name: 'tidegate_Bad-Name', help: 'No.' })).toThrow(
      'not a metric name of ours',
    );
  });

  it('are separate from the metrics of another registry', async () => {
    expect((await createMetrics({ nodeMetrics: false }).render()).body.trim()).toBe('');
  });

  it("include Node's metrics by default", async () => {
    expect((await createMetrics().render()).body).toContain('nodejs_eventloop_lag_seconds');
  });
});
