import { TidegateError } from '@tidegate/core';
import { until } from '@tidegate/testing';
import { describe, expect, it } from 'vitest';
import { FrameBatch } from '../../live/group/frame-batch.ts';
import { codeOf, SUBSCRIPTION, useSseEndpoint } from './endpoint-client.fixture.ts';
import { change } from './endpoint.fixture.ts';

describe('single connection mode of GraphQL over SSE', () => {
  const sse = useSseEndpoint();

  it('accepts operations with 202 and sends their results on the one stream', async () => {
    await sse.start();
    const token = await sse.reserve();
    const stream = await sse.openReserved(token);
    expect((await sse.operate(token, 'one')).status).toBe(202);
    expect((await sse.operate(token, 'two')).status).toBe(202);
    const [one, two] = sse.fixture.subscriptions;
    two!.sink.deliver(new FrameBatch([change(1)]));
    one!.sink.deliver(new FrameBatch([change(2)]));
    one!.sink.complete();
    two!.sink.deliverPosition('cursor-3');
    await until(() => stream.text.includes('cursor-3'), { what: 'all events' });
    expect(stream.text.split('\n\n').slice(1, -1)).toEqual([
      `event: next\ndata: {"id":"two","payload":${change(1).json.toString()}}`,
      `event: next\ndata: {"id":"one","payload":${change(2).json.toString()}}`,
      'event: complete\ndata: {"id":"one"}',
      ': cursors {"two":"cursor-3"}',
    ]);
  });

  it('sends the result of a query as next and complete with its id', async () => {
    await sse.start();
    const token = await sse.reserve();
    const stream = await sse.openReserved(token);
    expect((await sse.operate(token, 'q', '{ me }')).status).toBe(202);
    await until(() => stream.text.includes('complete'), { what: 'the answer' });
    expect(stream.text).toContain(
      'event: next\ndata: {"id":"q","payload":{"data":{"echo":"{ me }"}}}\n\nevent: complete\ndata: {"id":"q"}\n\n',
    );
  });

  it('queues messages until the stream is open', async () => {
    await sse.start();
    const token = await sse.reserve();
    await sse.operate(token, 'early');
    sse.only().sink.deliver(new FrameBatch([change(1)]));
    const stream = await sse.openReserved(token);
    await until(() => stream.text.includes('"id":"early"'), { what: 'the queued message' });
  });

  it('sends errors of an operation as next, then complete', async () => {
    await sse.start();
    const token = await sse.reserve();
    const stream = await sse.openReserved(token);
    await sse.operate(token, 'one');
    sse.only().sink.fail(new TidegateError('NOT_FOUND', 'There is nothing.'));
    await until(() => stream.text.includes('complete'), { what: 'the end' });
    expect(stream.text).toContain('"payload":{"errors":[{"message":"There is nothing."');
    expect((await sse.operate(token, 'one')).status).toBe(202);
  });

  it('stops an operation by DELETE and answers 200 even if it has already ended', async () => {
    await sse.start();
    const token = await sse.reserve();
    await sse.openReserved(token);
    await sse.operate(token, 'one');
    const stop = () =>
      sse.send('DELETE', { headers: { 'x-graphql-event-stream-token': token }, search: '?operationId=one' });
    expect((await stop()).status).toBe(200);
    expect(sse.only().stopped).toBe(true);
    expect((await stop()).status).toBe(200);
    expect((await sse.operate(token, 'one')).status).toBe(202);
  });

  it('ends operations and reservation with their stream', async () => {
    await sse.start();
    const token = await sse.reserve();
    const controller = new AbortController();
    await fetch(`${sse.fixture.url}?token=${token}`, {
      headers: { accept: 'text/event-stream' },
      signal: controller.signal,
    });
    await sse.operate(token, 'one');
    controller.abort();
    await until(() => sse.only().stopped, { what: 'the operation to stop' });
    expect(await codeOf(await sse.operate(token, 'two'))).toEqual([404, 'NOT_FOUND']);
    expect(sse.fixture.endpoint.streams).toBe(0);
  });

  it('opens a stream by its token alone, and with credentials only of the viewer that reserved it', async () => {
    await sse.start();
    const token = await sse.reserve();
    const foreign = await sse.openReserved(token, { authorization: 'Bearer member.c2' });
    expect(foreign.response.status).toBe(404);
    const response = await fetch(`${sse.fixture.url}?token=${token}`, {
      headers: { accept: 'text/event-stream' },
    });
    expect(response.status).toBe(200);
  });

  it('drops a reservation whose stream is not opened in time', async () => {
    await sse.start({ reservationTtlMs: 10 });
    const token = await sse.reserve();
    await until(() => sse.fixture.endpoint.streams === 0, { what: 'the reservation to end' });
    expect((await sse.openReserved(token)).response.status).toBe(404);
  });

  it('refuses a reservation above the maximum', async () => {
    await sse.start({ maxReservations: 1 });
    await sse.reserve();
    const refused = await sse.send('PUT', { headers: { authorization: 'Bearer member.c2' } });
    expect(await codeOf(refused)).toEqual([429, 'RATE_LIMITED']);
  });

  it('renews the stream by a newer token of the same viewer on any request', async () => {
    await sse.start();
    const soon = Date.now() + 300;
    const old = { authorization: `Bearer member.c1.${soon}` };
    const token = await sse.reserve(old);
    const [renewed, other] = [
      await sse.openReserved(token, old),
      await sse.openReserved(await sse.reserve(old), old),
    ];
    await sse.operate(token, 'one', SUBSCRIPTION, { authorization: `Bearer member.c1.${soon + 60_000}` });
    expect(await other.ended).toBe('cut');
    sse.only().sink.deliver(new FrameBatch([change(1)]));
    await until(() => renewed.text.includes('"id":"one"'), { what: 'a message after the old token' });
  });
});
