import { anonymous } from '@tidegate/bff';
import { TidegateError } from '@tidegate/core';
import { createMetrics, silentLogger, type Logger } from '@tidegate/runtime/telemetry';
import { createMemorySharedState, type SharedState } from '@tidegate/shared-state';
import { describe, expect, it } from 'vitest';
import { createEdgeMetrics } from './metrics.ts';
import { RequestRates, type RateLimits } from './request-rates.ts';

const one = { role: 'member', id: 'one' } as const;
const two = { role: 'member', id: 'two' } as const;
const HERE = '192.0.2.1';
const THERE = '192.0.2.2';

function create(limits: Partial<RateLimits>, options: { state?: SharedState; logger?: Logger } = {}) {
  const metrics = createMetrics({ nodeMetrics: false });
  const rates = new RequestRates({
    limits: { maxCostPerViewer: 0, maxCostPerAddress: 0, ...limits },
    state: options.state ?? createMemorySharedState({ maxEntries: 100 }),
    metrics: createEdgeMetrics(metrics),
    logger: options.logger ?? silentLogger,
  });
  return { rates, metricsText: async () => (await metrics.render()).body };
}

describe('request rates', () => {
  it('refuse a viewer beyond its cost in a minute, from whatever address, and no other viewer', async () => {
    const { rates, metricsText } = create({ maxCostPerViewer: 2 });
    expect((await rates.charge(one, HERE)).refusal).toBeUndefined();
    expect((await rates.charge(one, THERE)).refusal).toBeUndefined();
    const { refusal, headers } = await rates.charge(one, HERE);
    expect(refusal).toMatchObject({ code: 'RATE_LIMITED' });
    expect(refusal!.details['retryAfterMs']).toBeGreaterThan(29_000);
    expect(refusal!.details['retryAfterMs']).toBeLessThanOrEqual(30_000);
    expect(headers['retry-after']).toBe('30');
    expect((await rates.charge(two, HERE)).refusal).toBeUndefined();
    expect(await metricsText()).toContain('tidegate_edge_refusals_total{reason="request-rate"} 1');
  });

  it('charge a viewer whatever rights its tokens give', async () => {
    const { rates } = create({ maxCostPerViewer: 1 });
    await rates.charge(one, HERE);
    expect((await rates.charge({ ...one, role: 'operator' }, HERE)).refusal).toBeDefined();
  });

  it('refuse an address beyond its cost in a minute, with and without a token', async () => {
    const { rates } = create({ maxCostPerViewer: 10, maxCostPerAddress: 2 });
    await rates.charge(anonymous, HERE);
    await rates.charge(one, HERE);
    expect((await rates.charge(anonymous, HERE)).refusal).toBeDefined();
    expect((await rates.charge(two, HERE)).refusal).toBeDefined();
    expect((await rates.charge(anonymous, THERE)).refusal).toBeUndefined();
    expect((await rates.charge(one, THERE)).headers['ratelimit']).toContain('"viewer";r=8');
  });

  it('charge a request by its cost', async () => {
    const { rates } = create({ maxCostPerViewer: 10 });
    expect((await rates.charge(one, HERE, 8)).refusal).toBeUndefined();
    expect((await rates.charge(one, HERE, 3)).refusal).toBeDefined();
    expect((await rates.charge(one, HERE, 2)).refusal).toBeUndefined();
  });

  it('do not count where the limit is 0', async () => {
    const { rates } = create({});
    expect(await rates.charge(one, HERE, 1_000_000)).toEqual({ headers: {} });
    const viewersOnly = create({ maxCostPerViewer: 1 }).rates;
    for (let count = 0; count < 5; count++)
      expect((await viewersOnly.charge(anonymous, HERE)).refusal).toBeUndefined();
  });

  it('are told in the fields of the IETF draft: policy, what is left, time until all of it is', async () => {
    const { rates } = create({ maxCostPerViewer: 60, maxCostPerAddress: 600 });
    expect((await rates.charge(one, HERE)).headers).toEqual({
      'ratelimit-policy': '"viewer";q=60;w=60, "address";q=600;w=60',
      ratelimit: '"viewer";r=59;t=1, "address";r=599;t=1',
    });
    expect((await rates.charge(anonymous, THERE)).headers['ratelimit']).toBe('"address";r=599;t=1');
  });

  it('are shared by the replicas of one state', async () => {
    const state = createMemorySharedState({ maxEntries: 100 });
    const replicas = [create({ maxCostPerViewer: 2 }, { state }), create({ maxCostPerViewer: 2 }, { state })];
    await Promise.all(replicas.map(({ rates }) => rates.charge(one, HERE)));
    expect((await replicas[0]!.rates.charge(one, HERE)).refusal).toBeDefined();
  });

  it('are limited by each process for itself while the state is away: one log line, and a metric', async () => {
    const lines: string[] = [];
    const log = (_fields: object, message: string): void => void lines.push(message);
    const state = createMemorySharedState({ maxEntries: 100 });
    const flaky = { isAway: true };
    const { rates, metricsText } = create(
      { maxCostPerViewer: 2 },
      {
        logger: { ...silentLogger, info: log, warn: log } as Logger,
        state: Object.assign(Object.create(state) as SharedState, {
          takeTokens: async (...args: Parameters<SharedState['takeTokens']>) => {
            if (flaky.isAway) throw new TidegateError('UNAVAILABLE', 'away');
            return state.takeTokens(...args);
          },
        }),
      },
    );
    expect((await rates.charge(one, HERE)).refusal).toBeUndefined();
    expect((await rates.charge(one, HERE)).refusal).toBeUndefined();
    expect((await rates.charge(one, HERE)).refusal).toMatchObject({ code: 'RATE_LIMITED' });
    expect(lines).toEqual([expect.stringContaining('the shared state is away')]);
    expect(await metricsText()).toContain('tidegate_edge_local_charges_total 3');
    flaky.isAway = false;
    expect((await rates.charge(one, HERE)).refusal).toBeUndefined();
    expect(lines).toHaveLength(2);
  });

  it('bound the length of what they store, whatever the viewer is called', async () => {
    const keys: string[] = [];
    const state = createMemorySharedState({ maxEntries: 100 });
    const spied = Object.assign(Object.create(state) as SharedState, {
      takeTokens: (...[buckets, cost]: Parameters<SharedState['takeTokens']>) => {
        keys.push(...buckets.map(({ key }) => key));
        return state.takeTokens(buckets, cost);
      },
    });
    const { rates } = create({ maxCostPerViewer: 2 }, { state: spied });
    await rates.charge({ role: 'member', id: 'x'.repeat(8_000) }, HERE);
    await rates.charge({ role: 'member', id: `${'x'.repeat(7_999)}y` }, HERE);
    expect(new Set(keys).size).toBe(2);
    expect(Math.max(...keys.map((key) => key.length))).toBeLessThan(200);
  });
});
