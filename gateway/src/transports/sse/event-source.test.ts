import { describe, expect, it } from 'vitest';
import { codeOf, CUSTOMER, SUBSCRIPTION, useSseEndpoint } from './endpoint-client.fixture.ts';

describe('an EventSource, which can send no headers', () => {
  const sse = useSseEndpoint();

  const search = `?query=${encodeURIComponent(SUBSCRIPTION)}&access_token=customer.c1`;
  const bare = (method: string, accept: string, extra: Record<string, string> = {}): Promise<Response> =>
    fetch(`${sse.fixture.url}${search}`, { method, headers: { accept, ...extra } });

  it('the token may be a parameter of a GET for an event stream', async () => {
    await sse.start({ limits: { maxConnectionsPerViewer: 1 } });
    await bare('GET', 'text/event-stream');
    expect(await codeOf(await sse.send('PUT'))).toEqual([429, 'TOO_MANY_CONNECTIONS']);
  });

  it('one that is not valid is refused as in a header', async () => {
    await sse.start();
    const response = await fetch(`${sse.fixture.url}${search}x!`, {
      headers: { accept: 'text/event-stream' },
    });
    expect(await codeOf(response)).toEqual([401, 'UNAUTHENTICATED']);
  });

  it('the parameter is refused beside a header', async () => {
    await sse.start();
    expect(await codeOf(await bare('GET', 'text/event-stream', CUSTOMER))).toEqual([400, 'BAD_REQUEST']);
  });

  it('the parameter says nothing in any other request', async () => {
    await sse.start({ limits: { maxConnectionsPerViewer: 1 } });
    // Reserved without a token, then by the viewer that the parameter would have named.
    await bare('PUT', '*/*');
    await sse.reserve();
  });
});
