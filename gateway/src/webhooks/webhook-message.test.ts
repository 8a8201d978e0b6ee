import { createHmac } from 'node:crypto';
import { TidegateError } from '@tidegate/core';
import { until } from '@tidegate/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSigner } from './endpoints/signing.ts';
import { arrivals, type Receiver } from './receiver.fixture.ts';
import { createWebhookWorld, type WebhookWorld } from './webhook-world.fixture.ts';

let world: WebhookWorld;

beforeEach(async () => {
  world = await createWebhookWorld();
});
afterEach(() => world.close());

describe('a webhook message', () => {
  it('is a signed CloudEvent whose data is the selection of the document', async () => {
    const receiver = await world.startReceiver();
    const { id, secret } = await world.register(receiver.url);
    await world.startDispatcher();
    await world.change('42', 7, { status: 'FULL' });
    await world.settled(id, 1);
    const [{ headers, body, event }] = receiver.received as [Receiver['received'][number]];
    expect(headers['content-type']).toBe('application/cloudevents+json; charset=utf-8');
    expect(event).toMatchObject({
      specversion: '1.0',
      id: 'counter/42@7',
      type: 'tidegate.counters.CounterDocumentChanged',
      subject: '42',
      sequence: 7,
      data: { counters: { counterId: '42', count: 7, status: 'FULL' } },
    });
    const signed = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body}`;
    const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
    expect(headers['webhook-signature']).toBe(
      `v1,${createHmac('sha256', key).update(signed).digest('base64')}`,
    );
    expect(Math.abs(Number(headers['webhook-timestamp']) - Date.now() / 1000)).toBeLessThan(60);
  });

  it('is sent only for the changes that the document and its variables select', async () => {
    const receiver = await world.startReceiver();
    const filtered = `subscription($of: ID) { counters(status: [CLOSED], owner: $of) { counterId } }`;
    const { id } = await world.register(receiver.url, filtered, { of: 'owner-2' });
    await world.startDispatcher();
    await world.change('1', 1, { status: 'CLOSED', ownerId: 'owner-1' });
    await world.change('2', 1, { status: 'OPEN', ownerId: 'owner-2' });
    await world.change('2', 2, { status: 'CLOSED', ownerId: 'owner-2' });
    await world.settled(id, 1);
    expect(arrivals(receiver)).toEqual(['2@2']);
  });

  it('is sent for every change after the registration, also when the dispatcher starts later', async () => {
    await world.change('1', 1);
    const receiver = await world.startReceiver();
    const { id } = await world.register(receiver.url);
    await world.change('1', 2);
    await world.startDispatcher();
    await world.settled(id, 1);
    expect(arrivals(receiver)).toEqual(['1@2']);
  });

  it('reaches an endpoint that was registered just before the change, while dispatchers run', async () => {
    await world.startDispatcher();
    for (let round = 1; round <= 10; round++) {
      const receiver = await world.startReceiver();
      const { id } = await world.register(receiver.url);
      await world.change(`counter-${round}`, 1);
      await world.settled(id, 1);
      await world.call('DELETE', `/webhooks/endpoints/${id}`);
    }
  });

  it('is rendered once for endpoints with equal document and variables', async () => {
    const receiver = await world.startReceiver();
    const ids = [];
    for (let each = 0; each < 5; each++) {
      ids.push((await world.register(receiver.url, 'subscription { counters { counterId label } }')).id);
    }
    await world.startDispatcher();
    await world.change('1', 1);
    for (const id of ids) await world.settled(id, 1);
    expect(world.labels.calls).toBe(1);
    expect(new Set(receiver.received.map(({ id }) => id)).size).toBe(5);
    expect(new Set(receiver.received.map(({ body }) => body)).size).toBe(1);
  });

  it('is retried instead of sent with a null when a service is unavailable', async () => {
    const receiver = await world.startReceiver();
    const { id } = await world.register(receiver.url, 'subscription { counters { counterId label } }');
    world.labels.failure = new TidegateError('UNAVAILABLE', 'away');
    await world.startDispatcher({ retryScheduleMs: [30_000, 5] });
    await world.change('1', 1);
    const failed = await until(async () => (await world.deliveries(id))[0]?.attempts[0], {
      what: 'one attempt fails',
    });
    expect(failed).toMatchObject({ error: 'RENDER_FAILED', message: 'UNAVAILABLE: away' });
    expect(receiver.received).toEqual([]);
    world.labels.failure = undefined;
    await world.database.query.updateTable('webhook_deliveries').set({ next_attempt_at: 0 }).execute();
    await world.settled(id, 1);
    expect(receiver.received[0]?.event.data).toEqual({ counters: { counterId: '1', label: 'a counter' } });
  });

  it('is signed with the secrets of the last day, however often they were rotated', async () => {
    const receiver = await world.startReceiver();
    const { id, secret } = await world.register(receiver.url);
    await world.startDispatcher();
    const rotate = () => world.call<{ secret: string }>('POST', `/webhooks/endpoints/${id}/rotate-secret`);
    const [second, third] = [await rotate(), await rotate()];
    await world.change('1', 1);
    await world.settled(id, 1);
    const [received] = receiver.received;
    const message = `${received!.id}.${String(received!.headers['webhook-timestamp'])}.${received!.body}`;
    expect(String(received!.headers['webhook-signature']).split(' ')).toEqual(
      [third.json.secret, second.json.secret, secret].map((each) => createSigner(each).sign(message)),
    );
  });

  it('can be a test that the partner requests', async () => {
    const receiver = await world.startReceiver();
    const { id } = await world.register(receiver.url);
    await world.startDispatcher();
    const test = await world.call<{ deliveryId: string }>('POST', `/webhooks/endpoints/${id}/test`);
    expect(test.status).toBe(202);
    await world.settled(id, 1);
    expect(receiver.received[0]).toMatchObject({
      id: test.json.deliveryId,
      event: { type: 'tidegate.webhooks.Test' },
    });
  });
});
