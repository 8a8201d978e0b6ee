import { until } from '@tidegate/testing';
import { describe, expect, it } from 'vitest';
import { FrameBatch } from '../../live/group/frame-batch.ts';
import { Heartbeats } from '../heartbeats.ts';
import { codeOf, CUSTOMER, SUBSCRIPTION, useSseEndpoint } from './endpoint-client.fixture.ts';
import { change } from './endpoint.fixture.ts';

describe('distinct connections mode of GraphQL over SSE', () => {
  const sse = useSseEndpoint();

  it('begins a stream with a comment at once and headers against proxy buffering', async () => {
    await sse.start();
    const stream = await sse.openStream({ body: { query: SUBSCRIPTION } });
    await until(() => stream.text !== '', { what: 'the first comment' });
    expect(stream.text).toMatch(/^:\nretry: \d{4}\n\n$/);
    const { headers } = stream.response;
    expect(headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(headers.get('cache-control')).toBe('private, no-cache, no-transform');
    expect(headers.get('x-accel-buffering')).toBe('no');
  });

  it('sends a comment at every heartbeat', async () => {
    await sse.start({ heartbeats: new Heartbeats(10) });
    const stream = await sse.openStream({ body: { query: SUBSCRIPTION } });
    await until(() => stream.text.endsWith(':\n\n:\n\n:\n\n'), { what: 'three heartbeats' });
  });

  it('sends the cursor as the id of each event, and complete with an empty data field', async () => {
    await sse.start();
    const stream = await sse.openStream({ body: { query: SUBSCRIPTION } });
    sse.only().sink.deliver(new FrameBatch([change(1)]));
    sse.only().sink.complete();
    expect(await stream.ended).toBe('complete');
    const [, next, complete] = stream.text.split('\n\n');
    expect(next).toBe(`id: cursor-1\nevent: next\ndata: ${change(1).json.toString()}`);
    expect(complete).toBe('event: complete\ndata:');
  });

  it('sends the cursor of an idle subscription as a comment and as an id without an event', async () => {
    await sse.start();
    const stream = await sse.openStream({ body: { query: SUBSCRIPTION } });
    sse.only().sink.deliverPosition('cursor-9');
    await until(() => stream.text.endsWith('\n\n: cursor cursor-9\nid: cursor-9\n\n'), {
      what: 'the cursor',
    });
  });

  it('resumes from Last-Event-ID rather than the older cursor of the URL', async () => {
    await sse.start();
    const search = `?query=${encodeURIComponent(SUBSCRIPTION)}&extensions=${encodeURIComponent('{"cursor":"old"}')}`;
    await sse.openStream({ search }, 'GET');
    await sse.openStream({ search, headers: { 'last-event-id': 'new' } }, 'GET');
    expect(sse.fixture.subscriptions.map(({ cursor }) => cursor)).toEqual(['old', 'new']);
  });

  it('sends errors of the operation on the stream', async () => {
    await sse.start();
    const stream = await sse.openStream({ body: { query: 'broken' } });
    expect(stream.response.status).toBe(200);
    expect(await stream.ended).toBe('complete');
    expect(stream.text).toContain('"code":"GRAPHQL_PARSE_FAILED"');
    expect(stream.text).not.toContain('http');
    expect(stream.text).toMatch(/\n\nevent: complete\ndata:\n\n$/);
  });

  it('answers a query with one next and complete', async () => {
    await sse.start();
    const stream = await sse.openStream({ body: { query: '{ me }' } });
    expect(await stream.ended).toBe('complete');
    expect(stream.text).toContain(
      'event: next\ndata: {"data":{"echo":"{ me }"}}\n\nevent: complete\ndata:\n\n',
    );
  });

  it('stops the subscription when the client disconnects', async () => {
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

  it('cuts a stream when its token expires', async () => {
    await sse.start();
    const headers = { authorization: `Bearer member.c1.${Date.now() + 50}` };
    const stream = await sse.openStream({ headers, body: { query: SUBSCRIPTION } });
    expect(await stream.ended).toBe('cut');
    expect(sse.only().stopped).toBe(true);
  });

  it('cuts every stream in a drain, so that an EventSource reconnects by itself', async () => {
    await sse.start();
    const stream = await sse.openStream({ body: { query: SUBSCRIPTION } });
    const stopped = sse.fixture.endpoint.stop(20);
    expect(await stream.ended).toBe('cut');
    await stopped;
    await expect(sse.openStream({ body: { query: SUBSCRIPTION } })).rejects.toThrow('fetch failed');
  });

  it('refuses a stream above the maximum of a viewer and admits other viewers', async () => {
    await sse.start({ limits: { maxConnectionsPerViewer: 2 } });
    await sse.openStream({ body: { query: SUBSCRIPTION } });
    await sse.reserve();
    const refused = await sse.openStream({ body: { query: SUBSCRIPTION } });
    expect([refused.response.status, await refused.ended]).toEqual([429, 'complete']);
    expect(refused.text).toContain('TOO_MANY_CONNECTIONS');
    expect(await codeOf(await sse.send('PUT'))).toEqual([429, 'TOO_MANY_CONNECTIONS']);
    await sse.reserve({ authorization: 'Bearer member.c2' });
  });
});
