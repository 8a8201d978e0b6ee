import { TidegateError } from '@tidegate/core';
import { errorResponse, type FetchHandler } from '../http/index.ts';
import type { Metrics } from '../telemetry/index.ts';
import type { Readiness, ReadinessReport } from './readiness.ts';
import { withoutAddresses } from './without-addresses.ts';

export interface HealthHandlerOptions {
  readonly readiness: Readiness;
  /** Without it there is no `/metrics`. */
  readonly metrics?: Metrics;
  /**
   * Reasons of failed checks in `/readyz`: as they are, for operators; without addresses of backends; or none, when
   * operators have a port of their own. Default `without-addresses`.
   */
  readonly reasons?: 'full' | 'without-addresses' | 'none';
}

/**
 * Answers `/healthz` (200 as long as the process runs), `/readyz` (200 or 503, with the checks by name) and `/metrics`
 * for Prometheus; undefined for every other path.
 */
export function createHealthHandler({
  readiness,
  metrics,
  reasons = 'without-addresses',
}: HealthHandlerOptions): (request: Request) => Promise<Response> | undefined {
  const byPath: Record<string, FetchHandler> = {
    '/healthz': async () => Response.json({ status: 'alive' }),
    '/readyz': async () => {
      const report = await readiness.report();
      const status = report.status === 'ready' ? 200 : 503;
      return Response.json(publish(report, reasons), { status, headers: uncached });
    },
    ...(metrics && { '/metrics': () => scrape(metrics) }),
  };
  return (request) => {
    const { pathname } = new URL(request.url);
    if (!Object.hasOwn(byPath, pathname)) return undefined;
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    return isRead ? byPath[pathname]?.(request) : methodNotAllowed();
  };
}

async function methodNotAllowed(): Promise<Response> {
  const error = new TidegateError('METHOD_NOT_ALLOWED', 'Health is read with GET or HEAD.');
  return errorResponse(error, { allow: 'GET, HEAD' });
}

const uncached = { 'cache-control': 'no-store' };

function publish(
  { status, checks }: ReadinessReport,
  reasons: NonNullable<HealthHandlerOptions['reasons']>,
): ReadinessReport {
  if (reasons === 'full') return { status, checks };
  const published = Object.entries(checks).map(([name, { ok, error }]) => {
    const reason = reasons === 'none' || error === undefined ? {} : { error: withoutAddresses(error) };
    return [name, { ok, ...reason }] as const;
  });
  return { status, checks: Object.fromEntries(published) };
}

async function scrape(metrics: Metrics): Promise<Response> {
  const { contentType, body } = await metrics.render();
  return new Response(body, { headers: { 'content-type': contentType, ...uncached } });
}
