import { createHmac } from 'node:crypto';
import { TidegateError } from '@tidegate/errors';
import { deferred, startChild, until } from '@tidegate/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  createWebhookWorld,
  type Answer,
  type Receiver,
  type WebhookWorld,
} from './webhook-world.fixture.ts';

let world: WebhookWorld;
let now = Date.now();
const clock = () => now;

beforeEach(async () => {
  now = Date.now();
  world = await createWebhookWorld();
});
afterEach(() => world.close());

const status =
  (code: number, headers: Record<string, string> = {}): Answer =>
  (_received, response) =>
    void response.writeHead(code, headers).end();

const arrivals = (receiver: Receiver) =>
  receiver.received.map(({ event }) => `${event.subject}@${event.sequence}`);

const settled = (id: string, count: number) =>
  until(
    async () => {
      const deliveries = await world.deliveries(id);
      return (
        deliveries.length === count && deliveries.every((each) => each.status !== 'pending') && deliveries
      );
    },
    { what: `${count} deliveries are settled` },
  );

const count = async (id: string, state: 'pending' | 'delivered') =>
  (
    await world.database.query
      .selectFrom('webhook_deliveries')
      .select('seq')
      .where('endpoint_id', '=', id)
      .where('status', '=', state)
      .execute()
  ).length;
const pending = (id: string) => count(id, 'pending');
const delivered = (id: string) => count(id, 'delivered');

describe('a webhook message', () => {
  it('is a signed CloudEvent whose data is what the document selects', async () => {
    const receiver = await world.receiver();
    const { id, secret } = await world.register(receiver.url);
    await world.dispatcher();
    await world.change('42', 7, 'RESERVED');
    await settled(id, 1);
    const [{ headers, body, event }] = receiver.received as [Receiver['received'][number]];
    expect(headers['content-type']).toBe('application/cloudevents+json; charset=utf-8');
    expect(event).toMatchObject({
      specversion: '1.0',
      id: 'order/42@7',
      type: 'tidegate.order-view.OrderDocumentChanged',
      subject: '42',
      sequence: 7,
      data: { orders: { orderId: '42', version: 7, status: 'RESERVED' } },
    });
    const signed = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body}`;
    const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
    expect(headers['webhook-signature']).toBe(
      `v1,${createHmac('sha256', key).update(signed).digest('base64')}`,
    );
    expect(Math.abs(Number(headers['webhook-timestamp']) - Date.now() / 1000)).toBeLessThan(60);
  });

  it('is sent for the changes that the document and its variables choose, and for no others', async () => {
    const receiver = await world.receiver();
    const filtered = `subscription($of: ID) { orders(status: [DELIVERED], customer: $of) { orderId } }`;
    const { id } = await world.register(receiver.url, filtered, { of: 'customer-2' });
    await world.dispatcher();
    await world.change('1', 1, 'DELIVERED', 'customer-1');
    await world.change('2', 1, 'PLACED', 'customer-2');
    await world.change('2', 2, 'DELIVERED', 'customer-2');
    await settled(id, 1);
    expect(arrivals(receiver)).toEqual(['2@2']);
  });

  it('begins with the first change after the registration, also when the dispatcher starts later', async () => {
    await world.change('1', 1);
    const receiver = await world.receiver();
    const { id } = await world.register(receiver.url);
    await world.change('1', 2);
    await world.dispatcher();
    await settled(id, 1);
    expect(arrivals(receiver)).toEqual(['1@2']);
  });

  it('finds an endpoint that was registered a moment ago, while dispatchers run', async () => {
    await world.dispatcher();
    for (let round = 1; round <= 10; round++) {
      const receiver = await world.receiver();
      const { id } = await world.register(receiver.url);
      await world.change(`order-${round}`, 1);
      await settled(id, 1);
      await world.call('DELETE', `/webhooks/endpoints/${id}`);
    }
  });

  it('is executed once for endpoints of equal document and variables', async () => {
    const receiver = await world.receiver();
    const ids = [];
    for (let each = 0; each < 5; each++) {
      ids.push((await world.register(receiver.url, 'subscription { orders { orderId advice } }')).id);
    }
    await world.dispatcher();
    await world.change('1', 1);
    for (const id of ids) await settled(id, 1);
    expect(world.weather.renders).toBe(1);
    expect(new Set(receiver.received.map(({ id }) => id)).size).toBe(5);
    expect(new Set(receiver.received.map(({ body }) => body)).size).toBe(1);
  });

  it('is not sent with a hole when a service was away for a moment', async () => {
    const receiver = await world.receiver();
    const { id } = await world.register(receiver.url, 'subscription { orders { orderId advice } }');
    world.weather.failure = new TidegateError('UNAVAILABLE', 'away');
    await world.dispatcher({ retryScheduleMs: [30_000, 5] });
    await world.change('1', 1);
    const failed = await until(async () => (await world.deliveries(id))[0]?.attempts[0], {
      what: 'one attempt has failed',
    });
    expect(failed).toMatchObject({ error: 'RENDER_FAILED', message: 'UNAVAILABLE: away' });
    expect(receiver.received).toEqual([]);
    world.weather.failure = undefined;
    await world.database.query.updateTable('webhook_deliveries').set({ next_attempt_at: 0 }).execute();
    await settled(id, 1);
    expect(receiver.received[0]?.event.data).toEqual({ orders: { orderId: '1', advice: 'keep dry' } });
  });

  it('is signed with both secrets after a rotation', async () => {
    const receiver = await world.receiver();
    const { id } = await world.register(receiver.url);
    await world.dispatcher();
    const rotated = await world.call<{ secret: string }>('POST', `/webhooks/endpoints/${id}/rotate-secret`);
    expect(rotated.json.secret).toMatch(/^whsec_/);
    await world.change('1', 1);
    await settled(id, 1);
    expect(String(receiver.received[0]?.headers['webhook-signature']).split(' ')).toHaveLength(2);
  });

  it('can be asked for as a test', async () => {
    const receiver = await world.receiver();
    const { id } = await world.register(receiver.url);
    await world.dispatcher();
    const test = await world.call<{ deliveryId: string }>('POST', `/webhooks/endpoints/${id}/test`);
    expect(test.status).toBe(202);
    await settled(id, 1);
    expect(receiver.received[0]).toMatchObject({
      id: test.json.deliveryId,
      event: { type: 'tidegate.webhooks.Test' },
    });
  });
});

describe('delivery', () => {
  it('keeps the order of a key while its receiver fails, and tells each attempt', async () => {
    const receiver = await world.receiver();
    let failures = 2;
    receiver.answer = (received, response) => {
      response.writeHead(received.event.sequence === 1 && failures-- > 0 ? 500 : 200).end();
    };
    const { id } = await world.register(receiver.url);
    await world.dispatcher();
    for (const version of [1, 2, 3]) await world.change('1', version);
    const deliveries = await settled(id, 3);
    expect(arrivals(receiver)).toEqual(['1@1', '1@1', '1@1', '1@2', '1@3']);
    expect(new Set(receiver.received.map((each) => each.id)).size).toBe(3);
    expect(new Set(receiver.received.slice(0, 3).map((each) => each.body)).size).toBe(1);
    expect(deliveries.map((each) => each.sequence)).toEqual([3, 2, 1]);
    expect(deliveries[2]?.attempts).toMatchObject([
      { number: 1, status: 'failed', httpStatus: 500, error: 'HTTP_STATUS' },
      { number: 2, status: 'failed', httpStatus: 500, error: 'HTTP_STATUS' },
      { number: 3, status: 'delivered', httpStatus: 200 },
    ]);
  });

  it('does not hold up other keys and other endpoints behind a key that fails', async () => {
    const failing = await world.receiver((received, response) => {
      response.writeHead(received.event.subject === 'bad' ? 500 : 200).end();
    });
    const healthy = await world.receiver();
    await world.register(failing.url);
    await world.register(healthy.url);
    await world.dispatcher({ retryScheduleMs: [60_000] });
    await world.change('bad', 1);
    await until(() => failing.received.length === 1, { what: 'the bad key has failed' });
    await world.change('bad', 2);
    for (let each = 0; each < 20; each++) await world.change(`good-${each}`, 1);
    await until(() => failing.received.length === 21 && healthy.received.length === 22, {
      what: 'all but the bad key arrived',
    });
    expect(arrivals(failing).filter((each) => each.startsWith('bad'))).toEqual(['bad@1']);
    expect(arrivals(healthy).filter((each) => each.startsWith('bad'))).toEqual(['bad@1', 'bad@2']);
  });

  it('gives up after the last retry, keeps what was given up, and goes on with the key', async () => {
    const receiver = await world.receiver();
    receiver.answer = (received, response) =>
      void response.writeHead(received.event.sequence === 1 ? 500 : 200).end();
    const { id } = await world.register(receiver.url);
    await world.dispatcher({ retryScheduleMs: [1, 1] });
    await world.change('1', 1);
    await world.change('1', 2);
    const [second, first] = await settled(id, 2);
    expect(first).toMatchObject({ status: 'dead', attempts: [{}, {}, { number: 3 }] });
    expect(second).toMatchObject({ status: 'delivered' });
    expect(arrivals(receiver)).toEqual(['1@1', '1@1', '1@1', '1@2']);
  });

  it('takes a redirect for a failure and does not follow it', async () => {
    const elsewhere = await world.receiver();
    const receiver = await world.receiver(status(302, { location: elsewhere.url }));
    const { id } = await world.register(receiver.url);
    await world.dispatcher({ retryScheduleMs: [] });
    await world.change('1', 1);
    const [delivery] = await settled(id, 1);
    expect(delivery).toMatchObject({ status: 'dead', attempts: [{ error: 'REDIRECT', httpStatus: 302 }] });
    expect(elsewhere.received).toEqual([]);
  });

  it('ends an attempt at the deadline, whether the head or nothing at all comes', async () => {
    const silent = await world.receiver(() => {});
    const { id } = await world.register(silent.url);
    await world.dispatcher({ retryScheduleMs: [], deadlineMs: 150 });
    await world.change('1', 1);
    const [delivery] = await settled(id, 1);
    expect(delivery).toMatchObject({ status: 'dead', attempts: [{ error: 'DEADLINE_EXCEEDED' }] });
    expect(delivery!.attempts[0]!.durationMs).toBeGreaterThanOrEqual(140);
    expect(delivery!.attempts[0]!.durationMs).toBeLessThan(2_000);
  });

  it('reads no more than 64 KiB of an answer, and not past the deadline', async () => {
    const closed = deferred<number>();
    const endless = await world.receiver((_received, response) => {
      let sent = 0;
      response.writeHead(200);
      const chunk = Buffer.alloc(16 * 1024);
      const write = (): void => {
        while (!response.destroyed) {
          sent += chunk.length;
          if (!response.write(chunk)) return void response.once('drain', write);
        }
      };
      response.once('close', () => closed.resolve(sent));
      write();
    });
    const dripping = await world.receiver((_received, response) => void response.writeHead(200).write('x'));
    const one = await world.register(endless.url);
    const two = await world.register(dripping.url);
    await world.dispatcher({ deadlineMs: 300 });
    await world.change('1', 1);
    expect((await settled(one.id, 1))[0]).toMatchObject({ status: 'delivered' });
    expect((await settled(two.id, 1))[0]).toMatchObject({ status: 'delivered' });
    // What the sockets' buffers hold besides, and no more.
    expect(await closed.promise).toBeLessThan(16 * 1024 * 1024);
  });

  it('says when nobody listens', async () => {
    const receiver = await world.receiver();
    const { id } = await world.register(receiver.url);
    await receiver.close();
    await world.dispatcher({ retryScheduleMs: [] });
    await world.change('1', 1);
    expect((await settled(id, 1))[0]).toMatchObject({
      status: 'dead',
      attempts: [{ error: 'CONNECTION_FAILED', message: expect.stringContaining('ECONNREFUSED') }],
    });
  });

  it('refuses to connect to what has become a private address since it was registered', async () => {
    const receiver = await world.receiver();
    const { id } = await world.register(receiver.url.replace('127.0.0.1', 'localhost'));
    const literal = await world.register(receiver.url);
    await world.dispatcher({ retryScheduleMs: [] }, { allowPrivateTargets: false });
    await world.change('1', 1);
    for (const each of [id, literal.id]) {
      expect((await settled(each, 1))[0]).toMatchObject({ attempts: [{ error: 'TARGET_DENIED' }] });
    }
    expect(receiver.received).toEqual([]);
  });

  it('has at most so many attempts under way for one endpoint, and others go on', async () => {
    const gate = deferred();
    let [open, most] = [0, 0];
    const slow = await world.receiver((_received, response) => {
      most = Math.max(most, ++open);
      void gate.promise.then(() => {
        open--;
        response.writeHead(200).end();
      });
    });
    const fast = await world.receiver();
    const slowly = await world.register(slow.url);
    await world.register(fast.url);
    await world.dispatcher({ maxConcurrent: 6, maxConcurrentPerEndpoint: 3 });
    for (let each = 0; each < 12; each++) await world.change(`order-${each}`, 1);
    await until(() => fast.received.length === 12, { what: 'the fast endpoint has all' });
    expect(slow.received).toHaveLength(3);
    gate.resolve();
    await settled(slowly.id, 12);
    expect(most).toBe(3);
  });

  it('waits as long as Retry-After asks for', async () => {
    const receiver = await world.receiver(status(429, { 'retry-after': '3600' }));
    const { id } = await world.register(receiver.url);
    await world.dispatcher();
    await world.change('1', 1);
    const delivery = await until(
      async () => (await world.deliveries(id)).find((each) => each.attempts.length === 1),
      { what: 'one attempt was made' },
    );
    expect(Date.parse(delivery.nextAttemptAt!)).toBeGreaterThan(Date.now() + 3_500_000);
  });
});

describe('an endpoint', () => {
  it('that answers 410 is disabled, and what waits for it is dead', async () => {
    const receiver = await world.receiver(status(410));
    const { id } = await world.register(receiver.url);
    await world.dispatcher();
    await world.change('1', 1);
    await world.change('1', 2);
    await until(async () => (await endpointOf(id)).status === 'disabled', {
      what: 'the endpoint is disabled',
    });
    expect(await endpointOf(id)).toMatchObject({ disabledReason: 'The receiver answered 410 Gone.' });
    await world.change('1', 3);
    await until(async () => (await world.deliveries(id)).every((each) => each.status === 'dead'), {
      what: 'nothing waits',
    });
    expect(receiver.received).toHaveLength(1);
  });

  it('can be enabled again, and gets what changes from then on', async () => {
    const receiver = await world.receiver(status(410));
    const { id } = await world.register(receiver.url);
    await world.dispatcher();
    await world.change('1', 1);
    await until(async () => (await endpointOf(id)).status === 'disabled', {
      what: 'the endpoint is disabled',
    });
    receiver.answer = status(200);
    expect((await world.call('POST', `/webhooks/endpoints/${id}/enable`)).json).toMatchObject({
      status: 'enabled',
    });
    await world.change('1', 2);
    await until(() => receiver.received.length === 2, { what: 'the next change arrives' });
    expect(arrivals(receiver)).toEqual(['1@1', '1@2']);
  });

  it('that has failed for days without one success is disabled; one success starts the count anew', async () => {
    await world.close();
    world = await createWebhookWorld({ clock });
    const DAY_MS = 86_400_000;
    const receiver = await world.receiver(status(500));
    const { id } = await world.register(receiver.url);
    await world.dispatcher({ retryScheduleMs: [], disableAfterMs: 5 * DAY_MS });
    const failAt = async (version: number): Promise<void> => {
      await world.change('1', version);
      await settled(id, version);
    };
    await failAt(1);
    expect((await endpointOf(id)).failingSince).toBe(new Date(now).toISOString());
    now += 4 * DAY_MS;
    receiver.answer = status(200);
    await failAt(2);
    expect((await endpointOf(id)).failingSince).toBeUndefined();
    receiver.answer = status(500);
    await failAt(3);
    now += 4.9 * DAY_MS;
    await failAt(4);
    expect((await endpointOf(id)).status).toBe('enabled');
    now += 0.2 * DAY_MS;
    await failAt(5);
    expect(await endpointOf(id)).toMatchObject({
      status: 'disabled',
      disabledReason: 'Every attempt has failed for 5 days.',
    });
  });

  it('that more waits for than allowed is disabled, so that the queue is bounded', async () => {
    const receiver = await world.receiver(() => {});
    const { id } = await world.register(receiver.url);
    await world.dispatcher({ maxPendingPerEndpoint: 3, sweepIntervalMs: 20 });
    for (let version = 1; version <= 5; version++) await world.change('1', version);
    await until(async () => (await endpointOf(id)).status === 'disabled', {
      what: 'the endpoint is disabled',
    });
    expect((await endpointOf(id)).disabledReason).toMatch(/^More than 3 deliveries/);
  });

  const endpointOf = async (id: string) =>
    (
      await world.call<{ status: string; disabledReason?: string; failingSince?: string }>(
        'GET',
        `/webhooks/endpoints/${id}`,
      )
    ).json;
});

describe('a dispatcher', () => {
  it('that stops in the middle of an attempt loses nothing; the repeat carries the same webhook-id', async () => {
    const receiver = await world.receiver(() => {});
    const { id } = await world.register(receiver.url);
    const first = await world.dispatcher();
    await world.change('1', 1);
    await world.change('1', 2);
    await until(() => receiver.received.length === 1, { what: 'the first attempt is under way' });
    await first.stop();
    await world.change('1', 3);
    receiver.answer = status(200);
    await world.dispatcher();
    await settled(id, 3);
    expect(arrivals(receiver)).toEqual(['1@1', '1@1', '1@2', '1@3']);
    expect(receiver.received[1]?.id).toBe(receiver.received[0]?.id);
  });

  it('that is killed again and again loses nothing, and repeats with the webhook-id it had', async () => {
    const receiver = await world.receiver();
    const { id } = await world.register(receiver.url);
    for (let version = 1; version <= 60; version++) {
      await Promise.all(['a', 'b', 'c'].map((key) => world.change(key, version)));
    }
    for (const kills of [1, 2, 3]) {
      await using child = startChild('gateway/src/webhooks/dispatcher-process.fixture.ts', world.env);
      await until(() => receiver.received.length >= kills * 40, { what: `${kills * 40} messages came` });
      await child.kill('SIGKILL');
    }
    await using _last = startChild('gateway/src/webhooks/dispatcher-process.fixture.ts', world.env);
    await until(async () => (await pending(id)) === 0 && (await delivered(id)) === 180, {
      what: 'all are delivered',
      timeoutMs: 20_000,
    });
    const ids = new Map<string, string>();
    for (const { event, id: webhookId } of receiver.received) {
      expect(ids.get(event.id) ?? webhookId).toBe(webhookId);
      ids.set(event.id, webhookId);
    }
    expect(ids.size).toBe(180);
    for (const key of ['a', 'b', 'c']) {
      const versions = receiver.received
        .filter(({ event }) => event.subject === key)
        .map(({ event }) => event.sequence);
      expect([...new Set(versions)]).toEqual(Array.from({ length: 60 }, (_, index) => index + 1));
    }
    // At most what was under way when it was killed.
    expect(receiver.received.length).toBeLessThanOrEqual(180 + 3 * 3);
  });

  it('takes over what another held when its lease ends', async () => {
    const receiver = await world.receiver();
    const { id } = await world.register(receiver.url);
    const first = await world.dispatcher();
    await world.change('1', 1);
    await settled(id, 1);
    await first.stop();
    // As a dispatcher leaves it that was killed while it waited for an answer.
    await world.database.query
      .updateTable('webhook_deliveries')
      .set({ status: 'pending', lease_owner: 'the dead', lease_until: Date.now() + 300, attempts: 1 })
      .execute();
    await world.dispatcher();
    await settled(id, 1);
    expect(receiver.received).toHaveLength(2);
    expect(receiver.received[1]?.id).toBe(receiver.received[0]?.id);
  });

  it('shares the work with another: every change once, in order per key', async () => {
    const receiver = await world.receiver();
    const { id } = await world.register(receiver.url);
    await world.dispatcher();
    await world.dispatcher();
    const keys = ['a', 'b', 'c', 'd', 'e'];
    for (let version = 1; version <= 20; version++) {
      await Promise.all(keys.map((key) => world.change(key, version)));
    }
    await settled(id, 100);
    for (const key of keys) {
      const versions = receiver.received
        .filter(({ event }) => event.subject === key)
        .map(({ event }) => event.sequence);
      expect(versions).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
    }
  });

  it('forgets deliveries when they are old, and changes that nobody waits for', async () => {
    await world.close();
    world = await createWebhookWorld({ clock });
    const receiver = await world.receiver();
    const { id } = await world.register(receiver.url);
    await world.dispatcher({ sweepIntervalMs: 20, keepDeliveredMs: 60_000 });
    await world.change('1', 1);
    await settled(id, 1);
    now += 2 * 60 * 60 * 1000;
    const rows = async () =>
      Promise.all(
        (['webhook_deliveries', 'webhook_attempts', 'webhook_changes'] as const).map(
          async (table) => (await world.database.query.selectFrom(table).selectAll().execute()).length,
        ),
      );
    await until(async () => (await rows()).join() === '0,0,0', { what: 'all of it is forgotten' });
  });
});
