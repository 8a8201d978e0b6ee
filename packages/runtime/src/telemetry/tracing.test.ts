import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import { startTelemetry } from './tracing.ts';
import { withSpan } from './with-span.ts';

describe('startTelemetry', () => {
  afterEach(() => void delete process.env['OTEL_EXPORTER_OTLP_ENDPOINT']);

  it('does nothing without an endpoint', async () => {
    const telemetry = await startTelemetry({ service: 'test', env: {} });
    await telemetry.stop();
  });

  it('exports spans to the endpoint, and flushes the last ones when it stops', async () => {
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

    const telemetry = await startTelemetry({ service: 'counters-under-test' });
    await withSpan('raise counter', {}, async () => {});
    await telemetry.stop();
    await telemetry.stop();
    const { url, body } = await received.promise;
    expect(url).toBe('/v1/traces');
    expect(body).toContain('raise counter');
    expect(body).toContain('counters-under-test');
    collector.close();
    collector.closeAllConnections();
  });
});
