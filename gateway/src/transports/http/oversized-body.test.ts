import { request as httpRequest } from 'node:http';
import { describe, expect, it } from 'vitest';
import { CUSTOMER, useSseEndpoint } from '../sse/endpoint-client.fixture.ts';

describe('a request body of undeclared size', () => {
  const sse = useSseEndpoint();

  it('is answered with 413 as soon as it exceeds the maximum', async () => {
    await sse.start({ maxBodyBytes: 1_000 });
    const headers = { 'content-type': 'application/json', accept: 'text/event-stream', ...CUSTOMER };
    const request = httpRequest(sse.fixture.url, { method: 'POST', headers });
    const answered = new Promise<number | undefined>((resolve, reject) => {
      request.on('response', ({ statusCode }) => resolve(statusCode)).on('error', reject);
    });
    request.write('x'.repeat(2_000));
    expect(await answered).toBe(413);
    request.destroy();
  });
});
