import { deferred, until } from '@tidegate/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { arrivals, status, type Received } from '../receiver.fixture.ts';
import { createWebhookWorld, type WebhookWorld } from '../webhook-world.fixture.ts';

let world: WebhookWorld;

beforeEach(async () => {
  world = await createWebhookWorld();
});
afterEach(() => world.close());

describe('delivery', () => {
  it('keeps the order of a key while its receiver fails, and lists each attempt', async () => {
    const receiver = await world.startReceiver();
    let failures = 2;
    receiver.answer = (received, response) => {
      response.writeHead(received.event.sequence === 1 && failures-- > 0 ? 500 : 200).end();
    };
    const { id } = await world.register(receiver.url);
    await world.startDispatcher();
    for (const version of [1, 2, 3]) await world.change('1', version);
    const deliveries = await world.settled(id, 3);
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

  it('continues with other keys and other endpoints while one key fails', async () => {
    const failing = await world.startReceiver((received, response) => {
      response.writeHead(received.event.subject === 'bad' ? 500 : 200).end();
    });
    const healthy = await world.startReceiver();
    await world.register(failing.url);
    await world.register(healthy.url);
    await world.startDispatcher({ retryScheduleMs: [60_000] });
    await world.change('bad', 1);
    await until(() => failing.received.length === 1, { what: 'the bad key fails' });
    await world.change('bad', 2);
    for (let index = 0; index < 20; index++) await world.change(`good-${index}`, 1);
    await until(() => failing.received.length === 21 && healthy.received.length === 22, {
      what: 'all deliveries but those of the bad key arrive',
    });
    expect(arrivals(failing).filter((each) => each.startsWith('bad'))).toEqual(['bad@1']);
    expect(arrivals(healthy).filter((each) => each.startsWith('bad'))).toEqual(['bad@1', 'bad@2']);
  });

  it('is dead after the last retry, stays in the history, and lets its key go on', async () => {
    const receiver = await world.startReceiver();
    receiver.answer = (received, response) =>
      void response.writeHead(received.event.sequence === 1 ? 500 : 200).end();
    const { id } = await world.register(receiver.url);
    await world.startDispatcher({ retryScheduleMs: [1, 1] });
    await world.change('1', 1);
    await world.change('1', 2);
    const [second, first] = await world.settled(id, 2);
    expect(first).toMatchObject({ status: 'dead', attempts: [{}, {}, { number: 3 }] });
    expect(second).toMatchObject({ status: 'delivered' });
    expect(arrivals(receiver)).toEqual(['1@1', '1@1', '1@1', '1@2']);
  });

  it('fails on a redirect and does not follow it', async () => {
    const elsewhere = await world.startReceiver();
    const receiver = await world.startReceiver(status(302, { location: elsewhere.url }));
    const { id } = await world.register(receiver.url);
    await world.startDispatcher({ retryScheduleMs: [] });
    await world.change('1', 1);
    const [delivery] = await world.settled(id, 1);
    expect(delivery).toMatchObject({ status: 'dead', attempts: [{ error: 'REDIRECT', httpStatus: 302 }] });
    expect(elsewhere.received).toEqual([]);
  });

  it('fails at the deadline when the receiver does not answer', async () => {
    const silent = await world.startReceiver(() => {});
    const { id } = await world.register(silent.url);
    await world.startDispatcher({ retryScheduleMs: [], deadlineMs: 150 });
    await world.change('1', 1);
    const [delivery] = await world.settled(id, 1);
    expect(delivery).toMatchObject({ status: 'dead', attempts: [{ error: 'DEADLINE_EXCEEDED' }] });
    expect(delivery!.attempts[0]!.durationMs).toBeGreaterThanOrEqual(140);
    expect(delivery!.attempts[0]!.durationMs).toBeLessThan(2_000);
  });

  it('reads at most 64 KiB of an answer, and not past the deadline', async () => {
    const closed = deferred<number>();
    const endless = await world.startReceiver((_received, response) => {
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
    const dripping = await world.startReceiver(
      (_received, response) => void response.writeHead(200).write('x'),
    );
    const one = await world.register(endless.url);
    const two = await world.register(dripping.url);
    await world.startDispatcher({ deadlineMs: 300 });
    await world.change('1', 1);
    expect((await world.settled(one.id, 1))[0]).toMatchObject({ status: 'delivered' });
    expect((await world.settled(two.id, 1))[0]).toMatchObject({ status: 'delivered' });
    // More than 64 KiB, because the buffers of both sockets fill up as well.
    expect(await closed.promise).toBeLessThan(16 * 1024 * 1024);
  });

  it('fails with CONNECTION_FAILED when the receiver refuses connections', async () => {
    const receiver = await world.startReceiver();
    const { id } = await world.register(receiver.url);
    await receiver.close();
    await world.startDispatcher({ retryScheduleMs: [] });
    await world.change('1', 1);
    expect((await world.settled(id, 1))[0]).toMatchObject({
      status: 'dead',
      attempts: [{ error: 'CONNECTION_FAILED', message: expect.stringContaining('ECONNREFUSED') }],
    });
  });

  describe('a dead delivery', () => {
    const resend = (id: string, body: object, token?: string) =>
      world.call<{ resent?: number; error?: { code: string } }>(
        'POST',
        `/webhooks/endpoints/${id}/resend`,
        body,
        token,
      );

    it('is sent again on request, with its id and the whole schedule in front of it', async () => {
      let [isAway, attempts] = [true, 0];
      const receiver = await world.startReceiver((_received, response) => {
        attempts += 1;
        response.writeHead(isAway ? 500 : 200).end();
      });
      const { id } = await world.register(receiver.url);
      await world.startDispatcher({ retryScheduleMs: [1] });
      for (const version of [1, 2]) await world.change('1', version);
      const dead = await world.settled(id, 2);
      expect(dead.map(({ status }) => status)).toEqual(['dead', 'dead']);
      expect((await resend(id, { deliveryId: dead[0]!.id })).json).toEqual({ resent: 1 });
      await until(() => attempts === 6, { what: 'two more attempts' });
      expect(await world.settled(id, 2)).toMatchObject([
        { status: 'dead', id: dead[0]!.id },
        { status: 'dead' },
      ]);
      isAway = false;
      expect((await resend(id, { since: new Date(0).toISOString() })).json).toEqual({ resent: 2 });
      expect(await world.settled(id, 2)).toMatchObject([{ status: 'delivered' }, { status: 'delivered' }]);
      expect(receiver.received.map(({ headers }) => headers['webhook-id'])).toContain(dead[0]!.id);
    });

    it('is nobody else’s, and one that is not dead is not sent again', async () => {
      const receiver = await world.startReceiver();
      const { id } = await world.register(receiver.url);
      await world.startDispatcher();
      await world.change('1', 1);
      const [delivered] = await world.settled(id, 1);
      expect((await resend(id, { deliveryId: delivered!.id })).json.error?.code).toBe('NOT_FOUND');
      expect((await resend(id, { since: new Date(0).toISOString() })).json).toEqual({ resent: 0 });
      expect((await resend(id, { since: new Date(0).toISOString() }, 'partner-other')).status).toBe(404);
      expect((await resend(id, {})).json.error?.code).toBe('BAD_USER_INPUT');
      expect(receiver.received).toHaveLength(1);
    });
  });

  it('fails with TARGET_DENIED when the target policy denies the address after registration', async () => {
    const receiver = await world.startReceiver();
    const { id } = await world.register(receiver.url.replace('127.0.0.1', 'localhost'));
    const literal = await world.register(receiver.url);
    await world.startDispatcher({ retryScheduleMs: [] }, { allowPrivateTargets: false });
    await world.change('1', 1);
    for (const each of [id, literal.id]) {
      expect((await world.settled(each, 1))[0]).toMatchObject({ attempts: [{ error: 'TARGET_DENIED' }] });
    }
    expect(receiver.received).toEqual([]);
  });

  it('limits the attempts in flight per endpoint, and other endpoints go on', async () => {
    const gate = deferred();
    let [inFlight, maxInFlight] = [0, 0];
    const slow = await world.startReceiver((_received, response) => {
      maxInFlight = Math.max(maxInFlight, ++inFlight);
      void gate.promise.then(() => {
        inFlight--;
        response.writeHead(200).end();
      });
    });
    const fast = await world.startReceiver();
    const slowEndpoint = await world.register(slow.url);
    await world.register(fast.url);
    await world.startDispatcher({ maxConcurrent: 6, maxConcurrentPerEndpoint: 3 });
    for (let index = 0; index < 12; index++) await world.change(`counter-${index}`, 1);
    await until(() => fast.received.length === 12, { what: 'the fast endpoint has all deliveries' });
    expect(slow.received).toHaveLength(3);
    gate.resolve();
    await world.settled(slowEndpoint.id, 12);
    expect(maxInFlight).toBe(3);
  });

  it('leaves room for other partners while every endpoint of one hangs', async () => {
    const host = await world.startReceiver(({ path }, response) => {
      if (path.endsWith('/fast')) response.writeHead(204).end();
    });
    for (let index = 0; index < 10; index++) await world.register(`${host.url}/${index}`);
    await world.register(`${host.url}/fast`, undefined, {}, 'partner-other');
    const isFast = ({ path }: Received): boolean => path.endsWith('/fast');
    await world.startDispatcher({
      maxConcurrent: 24,
      maxConcurrentPerEndpoint: 4,
      maxConcurrentPerPartner: 12,
      // No attempt ends by its deadline while the test runs, however busy the machine is.
      deadlineMs: 60_000,
      leaseMs: 90_000,
    });
    for (let index = 0; index < 40; index++) await world.change(`counter-${index}`, 1);
    await until(() => host.received.filter(isFast).length === 40, {
      what: 'the other partner has all deliveries',
    });
    expect(host.received.filter((each) => !isFast(each))).toHaveLength(12);
  });

  it('makes one attempt at a time to an endpoint that fails, and more again once it answers', async () => {
    let [inFlight, maxInFlight] = [0, 0];
    let isBroken = true;
    const receiver = await world.startReceiver((_received, response) => {
      maxInFlight = Math.max(maxInFlight, ++inFlight);
      setTimeout(() => {
        inFlight--;
        response.writeHead(isBroken ? 500 : 204).end();
      }, 5);
    });
    const { id } = await world.register(receiver.url);
    await world.startDispatcher({ retryScheduleMs: Array.from({ length: 200 }, () => 10) });
    await world.change('first', 1);
    await until(() => receiver.received.length >= 1, { what: 'the first failure' });
    for (let index = 0; index < 20; index++) await world.change(`counter-${index}`, 1);
    maxInFlight = 0;
    const before = receiver.received.length;
    await until(() => receiver.received.length > before + 20, { what: 'more failures' });
    expect(maxInFlight).toBe(1);
    isBroken = false;
    await world.settled(id, 21);
    for (let index = 0; index < 20; index++) await world.change(`later-${index}`, 1);
    await world.settled(id, 41);
    expect(maxInFlight).toBeGreaterThan(1);
  });

  it('waits at least as long as Retry-After', async () => {
    const receiver = await world.startReceiver(status(429, { 'retry-after': '3600' }));
    const { id } = await world.register(receiver.url);
    await world.startDispatcher();
    await world.change('1', 1);
    const delivery = await until(
      async () => (await world.deliveries(id)).find((each) => each.attempts.length === 1),
      { what: 'one attempt is listed' },
    );
    expect(Date.parse(delivery.nextAttemptAt!)).toBeGreaterThan(Date.now() + 3_500_000);
  });
});
