import { until } from '@tidegate/testing';
import { describe, expect, it } from 'vitest';
import { FrameBatch } from '../../live/group/frame-batch.ts';
import { Heartbeats } from '../heartbeats.ts';
import { codeOf, CUSTOMER, SUBSCRIPTION, useSseEndpoint } from './endpoint-client.fixture.ts';
import { change } from './endpoint.fixture.ts';

describe('distinct connections mode of GraphQL over SSE', () => {
  const sse = useSseEndpoint();

  it('a stream begins with a comment at once and tells proxies to leave it alone', async () => {
    await sse.start();
    const stream = await sse.openStream({ body: { query: SUBSCRIPTION } });
    await until(() => stream.text !== '', { what: 'the first comment' });
    expect(stream.text).toMatch(/^:\nretry: \d{4}\n\n$/);
    const { headers } = stream.response;
    expect(headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(headers.get('cache-control')).toBe('private, no-cache, no-transform');
    expect(headers.get('x-accel-buffering')).toBe('no');
  });

  it('a stream has a comment at least every heartbeat', async () => {
    await sse.start({ heartbeats: new Heartbeats(10) });
    const stream = await sse.openStream({ body: { query: SUBSCRIPTION } });
    await until(() => stream.text.endsWith(':\n\n:\n\n:\n\n'), { what: 'three heartbeats' });
  });

  it('every event’s id is its cursor; complete has an empty data field', async () => {
    await sse.start();
    const stream = await sse.openStream({ body: { query: SUBSCRIPTION } });
    sse.only().sink.deliver(new FrameBatch([change(1)]));
    sse.only().sink.complete();
    expect(await stream.ended).toBe('complete');
    const [, next, complete] = stream.text.split('\n\n');
    expect(next).toBe(`id: cursor-1\nevent: next\ndata: ${change(1).json.toString()}`);
    expect(complete).toBe('event: complete\ndata:');
  });

  it('an idle subscription’s cursor is sent as a comment and as an id without an event', async () => {
    await sse.start();
    const stream = await sse.openStream({ body: { query: SUBSCRIPTION } });
    sse.only().sink.deliverPosition('cursor-9');
    await until(() => stream.text.endsWith('\n\n: cursor cursor-9\nid: cursor-9\n\n'), { what: 'it' });
  });

  it('goes on after Last-Event-ID, which is newer than the cursor of the address', async () => {
    await sse.start();
    const search = `?query=${encodeURIComponent(SUBSCRIPTION)}&extensions=${encodeURIComponent('{"cursor":"old"}')}`;
    await sse.openStream({ search }, 'GET');
    await sse.openStream({ search, headers: { 'last-event-id': 'new' } }, 'GET');
    expect(sse.fixture.subscriptions.map(({ cursor }) => cursor)).toEqual(['old', 'new']);
  });

  it('what is wrong with the operation is said on the stream', async () => {
    await sse.start();
    const stream = await sse.openStream({ body: { query: 'broken' } });
    expect(stream.response.status).toBe(200);
    expect(await stream.ended).toBe('complete');
    expect(stream.text).toContain('"code":"GRAPHQL_PARSE_FAILED"');
    expect(stream.text).not.toContain('http');
    expect(stream.text).toMatch(/\n\nevent: complete\ndata:\n\n$/);
  });

  it('a query is answered by one next and complete', async () => {
    await sse.start();
    const stream = await sse.openStream({ body: { query: '{ me }' } });
    expect(await stream.ended).toBe('complete');
    expect(stream.text).toContain(
      'event: next\ndata: {"data":{"echo":"{ me }"}}\n\nevent: complete\ndata:\n\n',
    );
  });

  it('the subscription stops when the client is gone', async () => {
    await sse.start();
    const controller = new AbortController();
    await fetch(`${sse.fixture.url}?query=${encodeURIComponent(SUBSCRIPTION)}`, {
      headers: { accept: 'text/event-stream', ...CUSTOMER },
      signal: controller.signal,
    });
    controller.abort();
    await until(() => sse.only().stopped, { what: 'the subscription to stop' });
    expect(sse.fixture.endpoint.streams).toBe(0);
    expect(await sse.fixture.metricsText()).toContain('tidegate_live_connections{transport="sse"} 0');
  });

  it('a stream is cut at the end of its token’s life', async () => {
    await sse.start();
    const headers = { authorization: `Bearer customer.c1.${Date.now() + 50}` };
    const stream = await sse.openStream({ headers, body: { query: SUBSCRIPTION } });
    expect(await stream.ended).toBe('cut');
    expect(sse.only().stopped).toBe(true);
  });

  it('a drain cuts every stream, so that an EventSource comes back by itself', async () => {
    await sse.start();
    const stream = await sse.openStream({ body: { query: SUBSCRIPTION } });
    const stopped = sse.fixture.endpoint.stop(20);
    expect(await stream.ended).toBe('cut');
    await stopped;
    await expect(sse.openStream({ body: { query: SUBSCRIPTION } })).rejects.toThrow('fetch failed');
  });

  it('one viewer has so many streams and no more; others are not concerned', async () => {
    await sse.start({ limits: { maxConnectionsPerViewer: 2 } });
    await sse.openStream({ body: { query: SUBSCRIPTION } });
    await sse.reserve();
    const refused = await sse.openStream({ body: { query: SUBSCRIPTION } });
    expect([refused.response.status, await refused.ended]).toEqual([429, 'complete']);
    expect(refused.text).toContain('TOO_MANY_CONNECTIONS');
    expect(await codeOf(await sse.send('PUT'))).toEqual([429, 'TOO_MANY_CONNECTIONS']);
    await sse.reserve({ authorization: 'Bearer customer.c2' });
  });
});
