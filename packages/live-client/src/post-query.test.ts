import { describe, expect, it } from 'vitest';
import { useClientFixture } from './client.fixture.ts';

const fixture = useClientFixture({ settleMs: 30 }, { sendsIdleCursors: false });

describe('a query', () => {
  it('sends the token and the variables', async () => {
    const result = await fixture.connect().query({ query: 'query Q { ok }', variables: { a: 1 } });
    expect(result.data).toEqual({ ok: true });
    expect(fixture.gateway.queries[0]?.authorization).toBe('Bearer secret');
    expect(JSON.parse(fixture.gateway.queries[0]?.body ?? '')).toEqual({
      query: 'query Q { ok }',
      variables: { a: 1 },
    });
  });

  it('refreshes a refused token once', async () => {
    fixture.gateway.answerQueries = (request, response) => {
      const good = request.headers.authorization === 'Bearer new';
      const refused = '{"errors":[{"message":"expired","extensions":{"code":"TOKEN_EXPIRED"}}]}';
      response.statusCode = good ? 200 : 401;
      response.end(good ? '{"data":{"ok":true}}' : refused);
    };
    const live = fixture.connect({ token: ({ refresh }) => Promise.resolve(refresh ? 'new' : 'old') });
    await expect(live.query({ query: '{ ok }' })).resolves.toMatchObject({ data: { ok: true } });
  });

  it.each([
    [400, '{"errors":[{"message":"no","extensions":{"code":"BAD_USER_INPUT"}}]}', 'BAD_USER_INPUT'],
    [502, '<html>bad gateway</html>', 'UNAVAILABLE'],
    [200, '<html>a login page</html>', 'BAD_RESPONSE'],
  ])('answered with %i %s fails with %s', async (status, body, code) => {
    fixture.gateway.answerQueries = (_, response) => {
      response.statusCode = status;
      response.end(body);
    };
    await expect(fixture.connect().query({ query: '{ ok }' })).rejects.toMatchObject({ code });
  });

  it('fails with TIMEOUT without an answer in time, with NETWORK without a connection', async () => {
    fixture.gateway.answerQueries = () => {};
    const live = fixture.connect({ queryTimeoutMs: 40 });
    await expect(live.query({ query: '{ ok }' })).rejects.toMatchObject({ code: 'TIMEOUT', retryable: true });
    await fixture.gateway.close();
    await expect(live.query({ query: '{ ok }' })).rejects.toMatchObject({ code: 'NETWORK', retryable: true });
  });
});
