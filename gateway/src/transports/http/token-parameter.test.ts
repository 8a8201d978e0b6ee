import { describe, expect, it } from 'vitest';
import { codeOf, CUSTOMER, SUBSCRIPTION, useSseEndpoint } from '../sse/endpoint-client.fixture.ts';

describe('a token as a parameter, for EventSource', () => {
  const sse = useSseEndpoint();

  const search = `?query=${encodeURIComponent(SUBSCRIPTION)}&access_token=member.c1`;
  const bare = (method: string, accept: string, extra: Record<string, string> = {}): Promise<Response> =>
    fetch(`${sse.fixture.url}${search}`, { method, headers: { accept, ...extra } });

  it('authorises a GET for an event stream', async () => {
    await sse.start({ limits: { maxConnectionsPerViewer: 1 } });
    await bare('GET', 'text/event-stream');
    expect(await codeOf(await sse.send('PUT'))).toEqual([429, 'TOO_MANY_CONNECTIONS']);
  });

  it('is refused like a header when it is not valid', async () => {
    await sse.start();
    const response = await fetch(`${sse.fixture.url}${search}x!`, {
      headers: { accept: 'text/event-stream' },
    });
    expect(await codeOf(response)).toEqual([401, 'UNAUTHENTICATED']);
  });

  it('is refused beside a header', async () => {
    await sse.start();
    expect(await codeOf(await bare('GET', 'text/event-stream', CUSTOMER))).toEqual([400, 'BAD_REQUEST']);
  });

  it('is ignored in any other request', async () => {
    await sse.start({ limits: { maxConnectionsPerViewer: 1 } });
    // The first reservation is anonymous, so it does not count for the viewer of the parameter.
    await bare('PUT', '*/*');
    await sse.reserve();
  });
});
