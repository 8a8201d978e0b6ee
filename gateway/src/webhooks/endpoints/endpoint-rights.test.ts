import { silentLogger } from '@tidegate/runtime/telemetry';
import { until } from '@tidegate/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RevokedAccess } from '../../auth/access-revoked.ts';
import { Revocations } from '../../auth/revocations.ts';
import { allCounters } from '../counter-bff.fixture.ts';
import { arrivals } from '../receiver.fixture.ts';
import type { EndpointAnswer } from '../rest/schemas.ts';
import { createWebhookWorld, type WebhookWorld } from '../webhook-world.fixture.ts';

let world: WebhookWorld;

beforeEach(async () => {
  world = await createWebhookWorld();
});
afterEach(() => world.close());

const endpointOf = async (id: string): Promise<EndpointAnswer> =>
  (await world.call<EndpointAnswer>('GET', `/webhooks/endpoints/${id}`)).json;

describe('the rights of an endpoint', () => {
  it('are those of the token that registered it', async () => {
    const receiver = await world.startReceiver();
    const { id } = await world.register(receiver.url, allCounters, {}, 'partner-acme+owner-1');
    await world.startDispatcher();
    await world.change('foreign', 1, { ownerId: 'owner-2' });
    await world.change('granted', 1, { ownerId: 'owner-1' });
    await world.settled(id, 1);
    expect(arrivals(receiver)).toEqual(['granted@1']);
  });

  it('become those of the token that enables it', async () => {
    const receiver = await world.startReceiver();
    const { id } = await world.register(receiver.url, allCounters, {}, 'partner-acme+owner-1');
    await world.call('POST', `/webhooks/endpoints/${id}/enable`, undefined, 'partner-acme+owner-2');
    await world.startDispatcher();
    await world.change('former', 1, { ownerId: 'owner-1' });
    await world.change('granted', 1, { ownerId: 'owner-2' });
    await world.settled(id, 1);
    expect(arrivals(receiver)).toEqual(['granted@1']);
  });

  it('stay when an operator enables it', async () => {
    const receiver = await world.startReceiver();
    const { id } = await world.register(receiver.url, allCounters, {}, 'partner-acme+owner-1');
    await world.call('POST', `/webhooks/endpoints/${id}/pause`, undefined, 'operator-7');
    await world.call('POST', `/webhooks/endpoints/${id}/enable`, undefined, 'operator-7');
    await world.startDispatcher();
    await world.change('foreign', 1, { ownerId: 'owner-2' });
    await world.change('granted', 1, { ownerId: 'owner-1' });
    await world.settled(id, 1);
    expect(arrivals(receiver)).toEqual(['granted@1']);
  });
});

describe('a revocation', () => {
  async function revoke(access: RevokedAccess): Promise<void> {
    const revocations = new Revocations({ log: world.log, logger: silentLogger });
    await revocations.start();
    await revocations.revoke(access, 'operator-7');
    await revocations.stop();
  }

  const subject = (issuedBeforeMs = Date.now()): RevokedAccess => ({
    kind: 'subject',
    subject: 'acme',
    issuedBefore: new Date(issuedBeforeMs).toISOString(),
  });

  const disabled = (id: string) =>
    until(async () => (await endpointOf(id)).status === 'disabled', { what: 'the endpoint is disabled' });

  it('of a subject disables its endpoints within seconds, and no others', async () => {
    const receiver = await world.startReceiver();
    const { id } = await world.register(receiver.url);
    const other = await world.register(receiver.url, allCounters, {}, 'partner-rival');
    await world.startDispatcher();
    await revoke(subject());
    await disabled(id);
    expect(await endpointOf(id)).toMatchObject({ disabledReason: 'The access of its partner was revoked.' });
    await world.change('1', 1);
    await until(() => receiver.received.length === 1, { what: 'the delivery to the other partner' });
    expect(await world.deliveries(id)).toEqual([]);
    const { json } = await world.call<EndpointAnswer>(
      'GET',
      `/webhooks/endpoints/${other.id}`,
      undefined,
      'partner-rival',
    );
    expect(json.status).toBe('enabled');
  });

  it('that came while no dispatcher ran is applied before the first delivery', async () => {
    const receiver = await world.startReceiver();
    const { id } = await world.register(receiver.url);
    await world.change('1', 1);
    await revoke(subject());
    await world.startDispatcher();
    expect((await endpointOf(id)).status).toBe('disabled');
    expect(receiver.received).toEqual([]);
  });

  it('leaves an endpoint alone that a later token enabled', async () => {
    const receiver = await world.startReceiver();
    const { id } = await world.register(receiver.url);
    await revoke(subject(Date.now() - 60_000));
    await world.startDispatcher();
    await world.change('1', 1);
    await world.settled(id, 1);
    expect((await endpointOf(id)).status).toBe('enabled');
  });
});
