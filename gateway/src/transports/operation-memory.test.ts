import { until } from '@tidegate/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { complete, COUNTER, subscribe, type EdgeSocket } from './edge-socket.fixture.ts';
import { Edge, TOKEN } from './edge.fixture.ts';

/** A subscribe whose document is unlike any other, and whose parameters take at least this many bytes. */
function large(id: string, bytes: number): object {
  return subscribe(id, `${COUNTER} #${id} ${'x'.repeat(bytes)}`);
}

const codesOf = (client: EdgeSocket): unknown[] =>
  client.of('error').map(({ payload }) => (payload as unknown as { extensions: object }[])[0]!.extensions);

describe('the memory of operations', () => {
  let edge: Edge;

  beforeEach(async () => {
    edge = await new Edge({
      limits: { maxOperationBytesPerConnection: 100_000, maxOperationBytesPerAddress: 250_000 },
    }).start();
  });
  afterEach(() => edge[Symbol.asyncDispose]());

  const subscriptions = (count: number) =>
    until(() => edge.hub.subscriptions === count, { what: `${count} subscriptions` });

  it('of a connection is bounded in bytes, and free again after complete', async () => {
    const client = await edge.open();
    for (const id of ['1', '2', '3']) client.send(large(id, 20_000));
    await until(() => client.of('error', '3').length === 1, { what: 'the refusal' });
    expect(codesOf(client)).toEqual([{ code: 'TOO_MANY_SUBSCRIPTIONS', maxBytes: 100_000 }]);
    await subscriptions(2);
    client.send(complete('1'), large('3', 20_000));
    await client.settled();
    await subscriptions(2);
    expect(codesOf(client)).toHaveLength(1);
    client.socket.close();
    await edge.released();
  });

  it('of an address is bounded in bytes over its connections, and free again after their end', async () => {
    const clients = await Promise.all(Array.from({ length: 4 }, () => edge.open()));
    for (const [index, client] of clients.entries()) {
      client.send(large(`a${index}`, 35_000));
      await client.settled();
    }
    await subscriptions(3);
    expect(codesOf(clients[3]!)).toEqual([{ code: 'TOO_MANY_SUBSCRIPTIONS', maxBytes: 250_000 }]);
    for (const client of clients) client.socket.terminate();
    await edge.released();
  });

  it('counts a document once that many operations share', async () => {
    const client = await edge.open();
    for (let count = 0; count < 60; count++) client.send(subscribe(`s${count}`));
    await client.settled();
    await subscriptions(60);
    expect(codesOf(client)).toEqual([]);
  });

  it('counts variables by what they take, not by their text', async () => {
    const client = await edge.open();
    const payload = { query: COUNTER, variables: { x: Array.from({ length: 1_000 }, () => ({})) } };
    client.send({ type: 'subscribe', id: '1', payload });
    await until(() => client.of('error').length === 1, { what: 'the refusal' });
    expect(codesOf(client)).toEqual([{ code: 'TOO_MANY_SUBSCRIPTIONS', maxBytes: 100_000 }]);
  });

  it('counts running queries until they have ended', async () => {
    const client = await edge.open();
    const query = `{ held } #${'x'.repeat(45_000)}`;
    client.send(subscribe('1', query), subscribe('2', `${query} 2`));
    await until(() => client.of('error', '2').length === 1, { what: 'the refusal' });
    edge.answerHeld();
    await until(() => client.of('complete', '1').length === 1, { what: 'the answer' });
    client.socket.close();
    await edge.released();
  });

  it('of an address counts queries over HTTP while they run', async () => {
    const post = (text: string): Promise<Response> =>
      fetch(edge.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query: `${text} #${'x'.repeat(35_000)}` }),
      });
    const running = ['1', '2', '3'].map((alias) => post(`{ a${alias}: held }`));
    await until(() => edge.held === 3, { what: 'three queries' });
    const refused = await post('{ ready }');
    expect([refused.status, await refused.text()]).toEqual([
      429,
      expect.stringContaining('"code":"TOO_MANY_SUBSCRIPTIONS"'),
    ]);
    edge.answerHeld();
    expect((await Promise.all(running)).map(({ status }) => status)).toEqual([200, 200, 200]);
    await edge.released();
    expect((await post('{ ready }')).status).toBe(200);
  });

  it.each([
    ['distinct connections mode', (_token: string) => ''],
    ['single connection mode', (token: string) => `?token=${token}`],
  ])('is bounded in %s', async (_title, searchOf) => {
    const authorization = `Bearer ${TOKEN}`;
    const token = await (await fetch(edge.url, { method: 'PUT', headers: { authorization } })).text();
    const response = await fetch(edge.url + searchOf(token), {
      method: 'POST',
      headers: {
        authorization,
        'content-type': 'application/json',
        ...(searchOf(token) === '' && { accept: 'text/event-stream' }),
      },
      body: JSON.stringify({ query: `${COUNTER} #${'x'.repeat(60_000)}`, extensions: { operationId: 'a' } }),
    });
    expect(response.status).toBe(429);
    expect(await response.text()).toContain('TOO_MANY_SUBSCRIPTIONS');
    expect(edge.hub.subscriptions).toBe(0);
  });
});
