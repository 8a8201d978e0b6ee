import { silentLogger } from '@tidegate/runtime/telemetry';
import { describe, expect, it } from 'vitest';
import { createServiceClient, createServiceHandler, implement } from '../operations/index.ts';
import { addStock, getStock, serveHandler } from '../operations/test-operations.fixture.ts';
import { CALLER_HEADER, CallerKeys } from './caller-keys.ts';
import { requireSignedCalls } from './require-signed-calls.ts';

const [older, newer, foreign] = ['o'.repeat(32), 'n'.repeat(32), 'f'.repeat(32)];
const unauthenticated = { code: 'UNAUTHENTICATED' };

describe('a service over HTTP', () => {
  async function serve(secrets: readonly string[], clock?: () => number) {
    const calls: unknown[] = [];
    const answer = async (input: unknown) => {
      calls.push(input);
      return { available: 7 };
    };
    const handle = createServiceHandler({
      implementations: [implement(addStock, answer), implement(getStock, answer)],
      logger: silentLogger,
    });
    const keys = new CallerKeys(secrets, clock);
    const server = await serveHandler(requireSignedCalls('table-view', handle, keys));
    const client = (...own: string[]) =>
      createServiceClient({
        services: { 'table-view': server.url },
        ...(own.length > 0 && { callerKeys: new CallerKeys(own) }),
      });
    return { calls, client, server, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
  }

  const query = { productId: 'p' };

  it('answers a caller that signs with one of its secrets', async () => {
    await using service = await serve([newer, older]);
    for (const secret of [newer, older])
      expect(await service.client(secret).call(getStock, query)).toEqual({ available: 7 });
    expect(await service.client(newer).call(addStock, { productId: 'p', lines: [] })).toEqual({
      available: 7,
    });
    expect(service.calls[0]).toEqual(query);
  });

  it('handles no call without a signature, or with one of another secret', async () => {
    await using service = await serve([older]);
    await expect(service.client().call(getStock, query)).rejects.toMatchObject(unauthenticated);
    await expect(service.client(foreign).call(getStock, query)).rejects.toMatchObject(unauthenticated);
    expect(service.calls).toEqual([]);
  });

  it('handles no call whose body, path or service differs from the signed one, nor an old one', async () => {
    await using service = await serve([older]);
    const keys = new CallerKeys([older]);
    const path = '/queries/get-stock';
    const body = JSON.stringify(query);
    const post = async (header: string, at = path, sent = body): Promise<number> => {
      const headers = { 'content-type': 'application/json', [CALLER_HEADER]: header };
      return (await fetch(`${service.server.url}${at}`, { method: 'POST', headers, body: sent })).status;
    };
    const signed = keys.signCall({ service: 'table-view', path, body });
    expect(await post(signed)).toBe(200);
    expect(await post(signed, path, JSON.stringify({ productId: 'q' }))).toBe(401);
    expect(await post(signed, '/commands/add-stock')).toBe(401);
    expect(await post(keys.signCall({ service: 'other', path, body }))).toBe(401);
    expect(await post(signed.replace(/^t=\d+/, `t=${Math.floor(Date.now() / 1000) + 1}`))).toBe(401);
    const minutesAgo = new CallerKeys([older], () => Date.now() - 120_000);
    expect(await post(minutesAgo.signCall({ service: 'table-view', path, body }))).toBe(401);
    for (const header of ['', 'nonsense', 't=1,v1=', `v1=${'A'.repeat(43)}`])
      expect(await post(header)).toBe(401);
    expect(service.calls).toHaveLength(1);
  });
});

describe('a signed record', () => {
  const keys = new CallerKeys([older]);
  const record = { key: 'k', value: Buffer.from('{"a":1}'), headers: { ce_type: 'A', ce_id: '1' } };

  it('is verified by key, attributes and value on its topic, whatever else is in its headers', () => {
    const signed = keys.signRecord('topic', record);
    keys.verifyRecord('topic', signed);
    keys.verifyRecord('topic', { ...signed, headers: { traceparent: 'x', ...signed.headers } });
    for (const altered of [
      record,
      { ...signed, key: 'other' },
      { ...signed, value: Buffer.from('{"a":2}') },
      { ...signed, headers: { ...signed.headers, ce_type: 'B' } },
    ])
      expect(() => keys.verifyRecord('topic', altered)).toThrow(expect.objectContaining(unauthenticated));
    expect(() => keys.verifyRecord('other', signed)).toThrow(expect.objectContaining(unauthenticated));
  });

  it('is not believed when another secret signed it', () => {
    const signed = new CallerKeys([foreign]).signRecord('topic', record);
    expect(() => keys.verifyRecord('topic', signed)).toThrow(expect.objectContaining(unauthenticated));
  });
});

describe('the secrets of callers', () => {
  it.each([[[]], [['short']]])('are at least one of 32 characters, not %j', (secrets) => {
    expect(() => new CallerKeys(secrets)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  });
});
