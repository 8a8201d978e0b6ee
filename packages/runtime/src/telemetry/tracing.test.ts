import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import { startTelemetry } from './tracing.ts';
import { withSpan } from './with-span.ts';

describe('startTelemetry', () => {
  afterEach(() => void delete process.env['OTEL_EXPORTER_OTLP_ENDPOINT']);

  it('does nothing where no endpoint is configured', async () => {
    const telemetry = await startTelemetry({ service: 'test', env: {} });
    await telemetry.stop();
  });

  it('sends spans to the endpoint, the last ones when it stops', async () => {
    const received = Promise.withResolvers<{ url: string | undefined; body: string }>();
    const collector = createServer((request, response) => {
      void buffer(request).then((body) => {
        received.resolve({ url: request.url, body: body.toString('latin1') });
        response.end();
      });
    });
    collector.listen(0, '127.0.0.1');
    await once(collector, 'listening');
    process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] =
      `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;

    const telemetry = await startTelemetry({ service: 'orders-under-test' });
    await withSpan('place order', {}, async () => {});
    await telemetry.stop();
    await telemetry.stop();
    const { url, body } = await received.promise;
    expect(url).toBe('/v1/traces');
    expect(body).toContain('place order');
    expect(body).toContain('orders-under-test');
    collector.close();
    collector.closeAllConnections();
  });
});
