import { until } from '@tidegate/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { allCounters } from '../counter-bff.fixture.ts';
import { arrivals } from '../receiver.fixture.ts';
import { createWebhookWorld, type WebhookWorld } from '../webhook-world.fixture.ts';

describe('a running dispatcher whose database was restored from a backup', () => {
  let world: WebhookWorld;
  beforeEach(async () => {
    world = await createWebhookWorld();
  });
  afterEach(() => world.close());

  it('delivers to the endpoints of the backup, and to none that was registered later', async () => {
    const [kept, lost] = [await world.startReceiver(), await world.startReceiver()];
    await world.register(kept.url, allCounters);
    const { revision } = await world.database.query
      .selectFrom('webhook_revision')
      .select('revision')
      .executeTakeFirstOrThrow();
    const later = await world.register(lost.url, allCounters);
    await world.startDispatcher();
    await world.change('before', 1);
    await until(() => arrivals(lost).length === 1, { what: 'the first change' });

    await world.database.query.deleteFrom('webhook_deliveries').where('endpoint_id', '=', later.id).execute();
    await world.database.query.deleteFrom('webhook_endpoints').where('id', '=', later.id).execute();
    await world.database.query.updateTable('webhook_revision').set({ revision }).execute();
    await world.change('after', 1);
    await until(() => arrivals(kept).length === 2, { what: 'the second change' });
    const owed = await world.database.query
      .selectFrom('webhook_deliveries')
      .select('endpoint_id')
      .where('endpoint_id', '=', later.id)
      .execute();
    expect([arrivals(kept), arrivals(lost), owed]).toEqual([['before@1', 'after@1'], ['before@1'], []]);
  });
});
