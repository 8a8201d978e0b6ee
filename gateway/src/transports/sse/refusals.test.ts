import { until } from '@tidegate/testing';
import { describe, expect, it } from 'vitest';
import { FrameBatch } from '../../live/group/frame-batch.ts';
import { codeOf, SUBSCRIPTION, useSseEndpoint } from './endpoint-client.fixture.ts';
import { change } from './endpoint.fixture.ts';

describe('refuses with its error code', () => {
  const sse = useSseEndpoint();

  const bad = async (...[id, query, headers]: [unknown, string?, Record<string, string>?]) =>
    codeOf(await sse.operate(await sse.reserve(), id, query, headers));

  it.each<[string, () => Promise<Response>, number, string]>([
    ['an operation with an unknown stream token', () => sse.operate('nonsense', 'one'), 404, 'NOT_FOUND'],
    [
      'a stream with an unknown token',
      () => sse.send('GET', { search: '?token=nonsense', headers: { accept: 'text/event-stream' } }),
      404,
      'NOT_FOUND',
    ],
    [
      'DELETE without a stream token',
      () => sse.send('DELETE', { search: '?operationId=a' }),
      400,
      'BAD_REQUEST',
    ],
    [
      'a stream by POST',
      () => sse.send('POST', { search: '?token=nonsense', headers: { accept: 'text/event-stream' } }),
      405,
      'METHOD_NOT_ALLOWED',
    ],
    ['PATCH', () => sse.send('PATCH', { search: '?token=nonsense' }), 405, 'METHOD_NOT_ALLOWED'],
    [
      'an event stream by PATCH',
      () => sse.send('PATCH', { headers: { accept: 'text/event-stream' } }),
      405,
      'METHOD_NOT_ALLOWED',
    ],
    [
      'a mutation by GET',
      () =>
        sse.send('GET', {
          search: `?query=${encodeURIComponent('mutation { a }')}`,
          headers: { accept: 'text/event-stream' },
        }),
      405,
      'METHOD_NOT_ALLOWED',
    ],
    [
      'variables that are not JSON',
      () => sse.send('GET', { search: '?query=a&variables={', headers: { accept: 'text/event-stream' } }),
      400,
      'BAD_REQUEST',
    ],
  ])('%s', async (_name, request, status, code) => {
    await sse.start();
    const response = await request();
    expect(await codeOf(response)).toEqual([status, code]);
    if (status === 405) expect(response.headers.get('allow')).toMatch(/GET|POST/);
  });

  it.each<[string, unknown]>([
    ['no operation id', undefined],
    ['an empty operation id', ''],
    ['an operation id that is not a string', 7],
    ['an operation id that is too long', 'x'.repeat(129)],
    ['an operation id of too many bytes', 'é'.repeat(65)],
  ])('%s', async (_name, id) => {
    await sse.start();
    expect(await bad(id)).toEqual([400, 'BAD_REQUEST']);
  });

  it('a document that does not parse', async () => {
    await sse.start();
    expect(await bad('one', 'broken')).toEqual([400, 'GRAPHQL_PARSE_FAILED']);
  });

  it('a stream token of another viewer', async () => {
    await sse.start();
    const foreign = { authorization: 'Bearer member.c2' };
    expect(await bad('one', SUBSCRIPTION, foreign)).toEqual([404, 'NOT_FOUND']);
  });

  it('an operation id that is in use', async () => {
    await sse.start();
    const token = await sse.reserve();
    await sse.operate(token, 'one');
    expect(await codeOf(await sse.operate(token, 'one'))).toEqual([409, 'CONFLICT']);
  });

  it('an operation above the maximum of one stream', async () => {
    await sse.start();
    const token = await sse.reserve();
    for (const id of ['one', 'two', 'three']) expect((await sse.operate(token, id)).status).toBe(202);
    expect(await codeOf(await sse.operate(token, 'four'))).toEqual([429, 'TOO_MANY_SUBSCRIPTIONS']);
  });

  it('a second stream for one reservation', async () => {
    await sse.start();
    const token = await sse.reserve();
    await sse.openReserved(token);
    const second = await sse.openReserved(token);
    expect(second.response.status).toBe(409);
  });

  it('an invalid operation without ending the open stream', async () => {
    await sse.start();
    const token = await sse.reserve();
    const stream = await sse.openReserved(token);
    await sse.operate(token, 'one');
    await sse.operate(token, 'one');
    await sse.operate(token, 7);
    await sse.operate(token, 'x', 'broken');
    sse.only().sink.deliver(new FrameBatch([change(1)]));
    await until(() => stream.text.includes('"id":"one"'), { what: 'the message' });
  });
});
