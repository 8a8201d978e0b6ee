import { deferred } from '@tidegate/testing';
import { createMetrics } from '../telemetry/index.ts';
import { describe, expect, it } from 'vitest';
import { createHealthHandler } from './health-handler.ts';
import { createReadiness } from './readiness.ts';

describe('readiness', () => {
  it('is not ready until the process has started', async () => {
    const readiness = createReadiness();
    expect((await readiness.report()).checks).toEqual({
      startup: { ok: false, error: 'the process is still starting' },
    });
    readiness.started();
    expect(await readiness.report()).toEqual({ status: 'ready', checks: {} });
  });

  it('names each check, and is not ready when one fails', async () => {
    const readiness = createReadiness();
    readiness.started();
    readiness.addCheck('kafka', () => {});
    readiness.addCheck('postgres', () => Promise.reject(new Error('no route to postgres://me:pw@host')));
    expect(await readiness.report()).toEqual({
      status: 'not ready',
      checks: { kafka: { ok: true }, postgres: { ok: false, error: 'no route to postgres://***@host' } },
    });
  });

  it('stays not ready once the process is stopping', async () => {
    const readiness = createReadiness();
    readiness.started();
    readiness.stopping();
    readiness.started();
    expect((await readiness.report()).status).toBe('not ready');
  });

  it('fails a check that hangs after 2 s', async () => {
    const readiness = createReadiness();
    readiness.started();
    readiness.addCheck('redis', () => new Promise(() => {}));
    expect((await readiness.report()).checks['redis']).toEqual({
      ok: false,
      error: 'There was no answer within 2000 ms.',
    });
  });

  it('shares one run of the checks between concurrent reports', async () => {
    const readiness = createReadiness();
    readiness.started();
    const gate = deferred();
    let runs = 0;
    readiness.addCheck('slow', () => (runs++, gate.promise));
    const reports = [readiness.report(), readiness.report(), readiness.report()];
    gate.resolve();
    await Promise.all(reports);
    expect(runs).toBe(1);
    await readiness.report();
    expect(runs).toBe(2);
  });
});

describe('a health handler', () => {
  const readiness = createReadiness();
  const health = createHealthHandler({ readiness, metrics: createMetrics({ nodeMetrics: false }) });
  const get = (path: string, method = 'GET') => health(new Request(`http://host${path}`, { method }));

  it('returns undefined for other paths and refuses other methods', async () => {
    expect(get('/')).toBeUndefined();
    expect(get('/constructor')).toBeUndefined();
    const refused = await get('/healthz', 'POST');
    expect([refused?.status, refused?.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });

  it('answers health, readiness and metrics', async () => {
    expect((await get('/healthz'))?.status).toBe(200);
    expect((await get('/readyz'))?.status).toBe(503);
    expect((await get('/metrics'))?.headers.get('content-type')).toContain('text/plain');
  });

  it.each([
    [undefined, { ok: false, error: 'connect ECONNREFUSED ***' }],
    ['without-addresses', { ok: false, error: 'connect ECONNREFUSED ***' }],
    ['full', { ok: false, error: 'connect ECONNREFUSED 10.0.0.7:5432' }],
    ['none', { ok: false }],
  ] as const)('tells the reasons of failed checks as configured: %s', async (reasons, postgres) => {
    const failing = createReadiness();
    failing.started();
    failing.addCheck('postgres', () => Promise.reject(new Error('connect ECONNREFUSED 10.0.0.7:5432')));
    const handler = createHealthHandler({ readiness: failing, ...(reasons && { reasons }) });
    const response = await handler(new Request('http://host/readyz'));
    expect(response?.status).toBe(503);
    expect(await response?.json()).toEqual({ status: 'not ready', checks: { postgres } });
  });

  it('has no /metrics without a registry', () => {
    expect(createHealthHandler({ readiness })(new Request('http://host/metrics'))).toBeUndefined();
  });
});
