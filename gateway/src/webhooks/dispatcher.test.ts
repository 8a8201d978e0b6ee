import { startChild, until } from '@tidegate/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { arrivals, status } from './receiver.fixture.ts';
import { createWebhookWorld, type WebhookWorld } from './webhook-world.fixture.ts';

let world: WebhookWorld;

beforeEach(async () => {
  world = await createWebhookWorld();
});
afterEach(() => world.close());

const count = async (id: string, state: 'pending' | 'delivered') =>
  (
    await world.database.query
      .selectFrom('webhook_deliveries')
      .select('seq')
      .where('endpoint_id', '=', id)
      .where('status', '=', state)
      .execute()
  ).length;

describe('a dispatcher', () => {
  it('repeats an attempt that its stop aborted, with the same webhook-id', async () => {
    const receiver = await world.startReceiver(() => {});
    const { id } = await world.register(receiver.url);
    const first = await world.startDispatcher();
    await world.change('1', 1);
    await world.change('1', 2);
    await until(() => receiver.received.length === 1, { what: 'the first attempt is in flight' });
    await first.stop();
    await world.change('1', 3);
    receiver.answer = status(200);
    await world.startDispatcher();
    await world.settled(id, 3);
    expect(arrivals(receiver)).toEqual(['1@1', '1@1', '1@2', '1@3']);
    expect(receiver.received[1]?.id).toBe(receiver.received[0]?.id);
  });

  it('loses no delivery when it is killed repeatedly, and repeats with the same webhook-id', async () => {
    const receiver = await world.startReceiver();
    const { id } = await world.register(receiver.url);
    for (let version = 1; version <= 60; version++) {
      await Promise.all(['a', 'b', 'c'].map((key) => world.change(key, version)));
    }
    for (const kills of [1, 2, 3]) {
      await using child = startChild('gateway/src/webhooks/dispatcher-process.fixture.ts', world.env);
      await until(() => receiver.received.length >= kills * 40, { what: `${kills * 40} messages arrive` });
      await child.kill('SIGKILL');
    }
    await using _last = startChild('gateway/src/webhooks/dispatcher-process.fixture.ts', world.env);
    await until(async () => (await count(id, 'pending')) === 0 && (await count(id, 'delivered')) === 180, {
      what: 'all deliveries are delivered',
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
    // Each kill repeats at most the attempts in flight, one per key.
    expect(receiver.received.length).toBeLessThanOrEqual(180 + 3 * 3);
  });

  it('claims the deliveries of another dispatcher when their lease ends', async () => {
    const receiver = await world.startReceiver();
    const { id } = await world.register(receiver.url);
    const first = await world.startDispatcher();
    await world.change('1', 1);
    await world.settled(id, 1);
    await first.stop();
    // State that a dispatcher leaves behind when it is killed while it waits for an answer.
    await world.database.query
      .updateTable('webhook_deliveries')
      .set({ status: 'pending', lease_owner: 'the dead', lease_until: Date.now() + 300, attempts: 1 })
      .execute();
    await world.startDispatcher();
    await world.settled(id, 1);
    expect(receiver.received).toHaveLength(2);
    expect(receiver.received[1]?.id).toBe(receiver.received[0]?.id);
  });

  it('shares the work with another one: every change once, in order per key', async () => {
    const receiver = await world.startReceiver();
    const { id } = await world.register(receiver.url);
    await world.startDispatcher();
    await world.startDispatcher();
    const keys = ['a', 'b', 'c', 'd', 'e'];
    for (let version = 1; version <= 20; version++) {
      await Promise.all(keys.map((key) => world.change(key, version)));
    }
    await world.settled(id, 100);
    for (const key of keys) {
      const versions = receiver.received
        .filter(({ event }) => event.subject === key)
        .map(({ event }) => event.sequence);
      expect(versions).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
    }
  });

  it('deletes old deliveries, their attempts and unused changes', async () => {
    world.advance(0);
    const receiver = await world.startReceiver();
    const { id } = await world.register(receiver.url);
    await world.startDispatcher({ sweepIntervalMs: 20, keepDeliveredMs: 60_000 });
    await world.change('1', 1);
    await world.settled(id, 1);
    world.advance(2 * 60 * 60 * 1000);
    const rows = async () =>
      Promise.all(
        (['webhook_deliveries', 'webhook_attempts', 'webhook_changes'] as const).map(
          async (table) => (await world.database.query.selectFrom(table).selectAll().execute()).length,
        ),
      );
    await until(async () => (await rows()).join() === '0,0,0', { what: 'all rows are deleted' });
  });
});
