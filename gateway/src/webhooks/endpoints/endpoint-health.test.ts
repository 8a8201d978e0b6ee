import { until } from '@tidegate/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { arrivals, status } from '../receiver.fixture.ts';
import { createWebhookWorld, type WebhookWorld } from '../webhook-world.fixture.ts';

let world: WebhookWorld;

beforeEach(async () => {
  world = await createWebhookWorld();
});
afterEach(() => world.close());

describe('an endpoint', () => {
  it('is disabled when it answers 410, and its pending deliveries are dead', async () => {
    const receiver = await world.startReceiver(status(410));
    const { id } = await world.register(receiver.url);
    await world.startDispatcher();
    await world.change('1', 1);
    await world.change('1', 2);
    await until(async () => (await endpointOf(id)).status === 'disabled', {
      what: 'the endpoint is disabled',
    });
    expect(await endpointOf(id)).toMatchObject({ disabledReason: 'The receiver answered 410 Gone.' });
    await world.change('1', 3);
    await until(async () => (await world.deliveries(id)).every((each) => each.status === 'dead'), {
      what: 'no delivery is pending',
    });
    expect(receiver.received).toHaveLength(1);
  });

  it('gets the changes after it was enabled again', async () => {
    const receiver = await world.startReceiver(status(410));
    const { id } = await world.register(receiver.url);
    await world.startDispatcher();
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

  it('is disabled after five days without a success; a success resets the time', async () => {
    world.advance(0);
    const DAY_MS = 86_400_000;
    const receiver = await world.startReceiver(status(500));
    const { id } = await world.register(receiver.url);
    await world.startDispatcher({ retryScheduleMs: [], disableAfterMs: 5 * DAY_MS });
    const failAt = async (version: number): Promise<void> => {
      await world.change('1', version);
      await world.settled(id, version);
    };
    await failAt(1);
    expect((await endpointOf(id)).failingSince).toBe(new Date(world.nowMs).toISOString());
    world.advance(4 * DAY_MS);
    receiver.answer = status(200);
    await failAt(2);
    expect((await endpointOf(id)).failingSince).toBeUndefined();
    receiver.answer = status(500);
    await failAt(3);
    world.advance(4.9 * DAY_MS);
    await failAt(4);
    expect((await endpointOf(id)).status).toBe('enabled');
    world.advance(0.2 * DAY_MS);
    await failAt(5);
    expect(await endpointOf(id)).toMatchObject({
      status: 'disabled',
      disabledReason: 'Every attempt has failed for 5 days.',
    });
  });

  it('is disabled with more pending deliveries than maxPendingPerEndpoint', async () => {
    const receiver = await world.startReceiver(() => {});
    const { id } = await world.register(receiver.url);
    await world.startDispatcher({ maxPendingPerEndpoint: 3, sweepIntervalMs: 20 });
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
