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

  describe('sampled at a scrape', () => {
    const options = {
      name: 'tidegate_rows',
      help: 'Rows.',
      labels: ['table'],
      everyMs: 0,
    } as const;

    it('show what each reader of a gauge returns, and no longer what is gone', async () => {
      const own = createMetrics({ nodeMetrics: false });
      let tables = ['a', 'b'];
      own.sample<'table'>(options, async () => tables.map((table) => ({ labels: { table }, value: 1 })));
      const end = own.sample<'table'>(options, async () => [{ labels: { table: 'c' }, value: 2 }]);
      expect(rowsOf((await own.render()).body)).toEqual(['a 1', 'b 1', 'c 2']);
      tables = ['b'];
      end();
      expect(rowsOf((await own.render()).body)).toEqual(['b 1']);
    });

    it('show nothing while their reader fails, and are back when it does not', async () => {
      const own = createMetrics({ nodeMetrics: false });
      let isAway = false;
      own.sample<'table'>(options, async () => {
        if (isAway) throw new Error('away');
        return [{ labels: { table: 'a' }, value: 1 }];
      });
      expect(rowsOf((await own.render()).body)).toEqual(['a 1']);
      isAway = true;
      expect(rowsOf((await own.render()).body)).toEqual([]);
      isAway = false;
      expect(rowsOf((await own.render()).body)).toEqual(['a 1']);
    });

    it('hold a scrape up for 2 s at most, and share one read among all scrapes', async () => {
      const own = createMetrics({ nodeMetrics: false });
      let reads = 0;
      own.sample<'table'>(options, () => {
        reads += 1;
        return new Promise(() => undefined);
      });
      const scrapes = await Promise.all([own.render(), own.render()]);
      expect(scrapes.map(({ body }) => rowsOf(body))).toEqual([[], []]);
      expect(reads).toBe(1);
    });

    it('are not read again before their time', async () => {
      const own = createMetrics({ nodeMetrics: false });
      let reads = 0;
      own.sample<'table'>({ ...options, everyMs: 60_000 }, async () => [
        { labels: { table: 'a' }, value: (reads += 1) },
      ]);
      await own.render();
      expect(rowsOf((await own.render()).body)).toEqual(['a 1']);
    });
  });

  it('are separate from the metrics of another registry', async () => {
    expect((await createMetrics({ nodeMetrics: false }).render()).body.trim()).toBe('');
  });

  it("include Node's metrics by default", async () => {
    expect((await createMetrics().render()).body).toContain('nodejs_eventloop_lag_seconds');
  });
});

function rowsOf(body: string): string[] {
  return [...body.matchAll(/^tidegate_rows\{table="(\w)"\} (\d)$/gm)].map(
    ([, table, value]) => `${table} ${value}`,
  );
}
