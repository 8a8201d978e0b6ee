import { until } from '@tidegate/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Edge } from './edge.fixture.ts';

const QUERY = `{ ${Array.from({ length: 20 }, (_, index) => `alias${index}: ready`).join(' ')} }`;
const TOO_LARGE = { code: 'RESPONSE_TOO_LARGE', maxResponseBytes: 100 };

describe('a result that is larger than maxResponseBytes is RESPONSE_TOO_LARGE', () => {
  let edge: Edge;
  beforeEach(async () => {
    edge = await new Edge({ limits: { maxResponseBytes: 100 } }).start();
  });
  afterEach(() => edge[Symbol.asyncDispose]());

  async function post(query: string, accept: string): Promise<{ status: number; text: string }> {
    const response = await fetch(edge.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept },
      body: JSON.stringify({ query }),
    });
    return { status: response.status, text: await response.text() };
  }

  it('over HTTP', async () => {
    const { text } = await post(QUERY, 'application/json');
    const { data, errors } = JSON.parse(text) as { data?: unknown; errors: { extensions: object }[] };
    expect([data, errors.map(({ extensions }) => extensions)]).toEqual([undefined, [TOO_LARGE]]);
    expect((await post('{ ready }', 'application/json')).text).toContain('"ready":true');
  });

  it('on an event stream', async () => {
    const { text } = await post(QUERY, 'text/event-stream');
    expect(text).toContain('"code":"RESPONSE_TOO_LARGE"');
    expect(text).not.toContain('alias19');
  });

  it('over WebSocket', async () => {
    const client = await edge.open();
    client.send({ type: 'subscribe', id: '1', payload: { query: QUERY } });
    const answers = () => [...client.of('next', '1'), ...client.of('error', '1')];
    await until(() => answers().length > 0, { what: 'the answer' });
    expect(JSON.stringify(answers())).toContain('"code":"RESPONSE_TOO_LARGE"');
    expect(JSON.stringify(answers())).not.toContain('alias19');
    client.socket.close();
  });
});
