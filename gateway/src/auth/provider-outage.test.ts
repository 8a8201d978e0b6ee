import { once } from 'node:events';
import { topicSpecs } from '@tidegate/core';
import type { EventLog } from '@tidegate/event-log';
import { createSqliteEventLog } from '@tidegate/event-log/sqlite';
import { silentLogger } from '@tidegate/runtime/telemetry';
import { AlarmRaised, CounterDocumentChanged } from '@tidegate/testing/sample-messages';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { createGateway, type Gateway } from '../gateway.ts';
import { createCounterBff } from '../webhooks/counter-bff.fixture.ts';
import { AUDIENCE, OpenIdProvider } from './openid-provider.fixture.ts';

interface Message {
  readonly type: string;
  readonly payload?: { readonly tidegate?: Record<string, unknown> };
}

describe('while the identity provider is away', () => {
  const provider = new OpenIdProvider();
  let log: EventLog;
  let gateway: Gateway;

  beforeEach(async () => {
    await provider.start();
    log = createSqliteEventLog({ path: ':memory:', logger: silentLogger });
    await log.ensureTopics(topicSpecs([AlarmRaised.topic, CounterDocumentChanged.topic], 1));
    gateway = createGateway({
      ...{ bffs: [createCounterBff()], log, limits: { drainWindowMs: 0, keysCooldownMs: 0 } },
      cursorSecrets: ['a secret of at least thirty-two characters'],
      auth: { issuer: provider.issuer, audience: AUDIENCE, roles: ['member'] },
    });
    await gateway.start(AbortSignal.timeout(10_000));
  });

  afterEach(async () => {
    await gateway.stop();
    await log.close();
    await provider.stop();
  });

  const post = (token: string, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${gateway.url}/graphql/web`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}`, ...headers },
      body: JSON.stringify({ query: '{ __typename }' }),
    });

  const open = (headers: Record<string, string> = {}): WebSocket =>
    new WebSocket(`${gateway.url.replace('http', 'ws')}/graphql/web`, 'graphql-transport-ws', { headers });

  /** Sends `connection_init` and resolves with the open socket and its messages, or with the close code. */
  async function connect(token: string): Promise<{ socket: WebSocket; next: () => Promise<Message> }> {
    const socket = open();
    const messages: Message[] = [];
    socket.on('message', (data) => messages.push(JSON.parse((data as Buffer).toString()) as Message));
    await once(socket, 'open');
    socket.send(
      JSON.stringify({ type: 'connection_init', payload: { headers: { Authorization: `Bearer ${token}` } } }),
    );
    return {
      socket,
      next: async () => {
        if (messages.length === 0) await once(socket, 'message');
        return messages.shift()!;
      },
    };
  }

  it('answers 503 with a time to come back, and closes a WebSocket with 4503', async () => {
    const token = await provider.issue({ role: 'member' });
    await provider.stop();
    for (const accept of ['application/json', 'text/event-stream']) {
      const response = await post(token, { accept });
      expect(response.status, accept).toBe(503);
      expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
      const { errors } = (await response.json()) as { errors: { extensions: Record<string, unknown> }[] };
      expect(errors[0]!.extensions).toMatchObject({ code: 'UNAVAILABLE', retryAfterMs: expect.any(Number) });
    }
    const revocation = await fetch(`${gateway.url}/api/access/revocations`, {
      ...{ method: 'POST', headers: { authorization: `Bearer ${token}` } },
    });
    expect([revocation.status, revocation.headers.get('retry-after')]).toEqual([503, '1']);
    const { socket } = await connect(token);
    expect((await once(socket, 'close'))[0]).toBe(4503);
    const refused = open({ authorization: `Bearer ${token}` });
    const [, upgrade] = (await once(refused, 'unexpected-response')) as [unknown, { statusCode: number }];
    expect(upgrade.statusCode).toBe(503);
    refused.on('error', () => undefined).terminate();
    await provider.start();
  });

  it('keeps a WebSocket under its token when a newer one cannot be verified', async () => {
    const { socket, next } = await connect(await provider.issue({ role: 'member' }));
    expect((await next()).type).toBe('connection_ack');
    await provider.rotate();
    const newer = await provider.issue({ role: 'member' });
    await provider.stop();
    const renew = () =>
      socket.send(
        JSON.stringify({ type: 'ping', payload: { tidegate: { authorization: `Bearer ${newer}` } } }),
      );
    renew();
    const kept = await next();
    expect(kept).toMatchObject({ type: 'pong', payload: { tidegate: { code: 'UNAVAILABLE' } } });
    expect(Date.parse(kept.payload!.tidegate!['expiresAt'] as string)).toBeGreaterThan(Date.now());
    await provider.start();
    await new Promise((resolve) => setTimeout(resolve, Number(kept.payload!.tidegate!['retryAfterMs'])));
    renew();
    const renewed = await next();
    expect(renewed.payload!.tidegate).not.toHaveProperty('code');
    expect(socket.readyState).toBe(WebSocket.OPEN);
    socket.terminate();
  });
});
