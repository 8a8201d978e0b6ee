import { createMetrics, silentLogger } from '@tidegate/runtime/telemetry';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createCounterBff, fixtureKeys } from '../counter-bff.fixture.ts';
import { createDispatcher } from '../dispatcher.ts';
import { createWebhookWorld, type WebhookWorld } from '../webhook-world.fixture.ts';
import { SecretBox } from './secret-box.ts';

const [key] = fixtureKeys as [string];
const newer = 'a newer key for tests, at least 32 characters';

describe('a dispatcher that starts', () => {
  let world: WebhookWorld;
  beforeEach(async () => {
    world = await createWebhookWorld();
  });
  afterEach(() => world.close());

  async function startWith(secretKeys: readonly string[]): Promise<void> {
    const { database, log } = world;
    const bffs = [createCounterBff()];
    const metrics = createMetrics({ nodeMetrics: false });
    const dispatcher = createDispatcher({ database, secretKeys, log, bffs, metrics, logger: silentLogger });
    await dispatcher.start();
    await dispatcher.stop();
  }

  const stored = async (id: string): Promise<string> =>
    (
      await world.database.query
        .selectFrom('webhook_endpoints')
        .select('secret')
        .where('id', '=', id)
        .executeTakeFirstOrThrow()
    ).secret;

  it('encrypts secrets from before encryption', async () => {
    const { id, secret } = await world.register('http://127.0.0.1:1/hook');
    await world.database.query.updateTable('webhook_endpoints').set({ secret }).execute();
    await startWith([key]);
    expect(new SecretBox([key]).isCurrent(await stored(id))).toBe(true);
    expect(new SecretBox([key]).open(await stored(id), id)).toBe(secret);
  });

  it('encrypts secrets with the newest key, after which the older one is not needed', async () => {
    const { id, secret } = await world.register('http://127.0.0.1:1/hook');
    await startWith([newer, key]);
    expect(new SecretBox([newer]).open(await stored(id), id)).toBe(secret);
  });

  it('leaves a secret alone whose key it lacks', async () => {
    const { id } = await world.register('http://127.0.0.1:1/hook');
    const before = await stored(id);
    await startWith([newer]);
    expect(await stored(id)).toBe(before);
  });
});
