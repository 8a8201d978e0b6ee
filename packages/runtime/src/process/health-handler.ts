import type { FetchHandler } from '../http/index.ts';
import type { Metrics } from '../telemetry/index.ts';
import type { Readiness } from './readiness.ts';

export interface HealthHandlerOptions {
  readonly readiness: Readiness;
  /** Without it there is no `/metrics`. */
  readonly metrics?: Metrics;
}

/**
 * Answers `/healthz` (200 as long as the process runs), `/readyz` (200 or 503, with the checks by name) and `/metrics`
 * for Prometheus; undefined for every other path.
 */
export function createHealthHandler({
  readiness,
  metrics,
}: HealthHandlerOptions): (request: Request) => Promise<Response> | undefined {
  const byPath: Record<string, FetchHandler> = {
    '/healthz': async () => Response.json({ status: 'alive' }),
    '/readyz': async () => {
      const report = await readiness.report();
      return Response.json(report, { status: report.status === 'ready' ? 200 : 503, headers: uncached });
    },
    ...(metrics && { '/metrics': () => scrape(metrics) }),
  };
  return (request) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return undefined;
    const { pathname } = new URL(request.url);
    return Object.hasOwn(byPath, pathname) ? byPath[pathname]?.(request) : undefined;
  };
}

const uncached = { 'cache-control': 'no-store' };

async function scrape(metrics: Metrics): Promise<Response> {
  const { contentType, body } = await metrics.render();
  return new Response(body, { headers: { 'content-type': contentType, ...uncached } });
}
