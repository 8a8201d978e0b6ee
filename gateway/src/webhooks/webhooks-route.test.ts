import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allCounters, fixtureKeys } from './counter-bff.fixture.ts';
import { olderSecretsOf } from './endpoints/older-secrets.ts';
import { SecretBox } from './endpoints/secret-box.ts';
import { createWebhookWorld, type WebhookWorld } from './webhook-world.fixture.ts';

interface ErrorAnswer {
  error: { code: string; message: string; details?: Record<string, unknown> };
}

const manyAliases = `subscription { counters { ${Array.from({ length: 101 }, (_, at) => `a${at}: count`).join(' ')} } }`;

/** JSON.stringify cannot write a value of this depth. */
const deepVariables = JSON.stringify({
  url: 'http://127.0.0.1:1/hook',
  document: allCounters,
  variables: { a: 0 },
}).replace('"a":0', `"a":${'['.repeat(20_000)}${']'.repeat(20_000)}`);

describe('the REST interface of webhooks', () => {
  let world: WebhookWorld;
  beforeAll(async () => {
    world = await createWebhookWorld();
  });
  afterAll(() => world.close());

  const register = (body: unknown, token?: string) =>
    world.call<ErrorAnswer>('POST', '/webhooks/endpoints', body, token);
  const url = 'http://127.0.0.1:1/hook';

  it('shows the secret in the answer to the registration only', async () => {
    const created = await world.call<{ id: string; secret: string }>('POST', '/webhooks/endpoints', {
      url,
      document: allCounters,
    });
    expect(created.status).toBe(201);
    expect(created.json).toMatchObject({ url, bff: 'web', status: 'enabled', variables: {} });
    expect(created.json.secret).toMatch(/^whsec_/);
    const read = await world.call<object>('GET', `/webhooks/endpoints/${created.json.id}`);
    expect(read.json).not.toHaveProperty('secret');
    expect(JSON.stringify(read.json)).not.toContain('whsec_');
  });

  it('stores secrets encrypted, also the previous one after a rotation', async () => {
    const { id, secret } = await world.register(url);
    const { json } = await world.call<{ secret: string }>('POST', `/webhooks/endpoints/${id}/rotate-secret`);
    const row = await world.database.query
      .selectFrom('webhook_endpoints')
      .selectAll()
      .where('id', '=', id)
      .executeTakeFirstOrThrow();
    const box = new SecretBox(fixtureKeys);
    const [older] = olderSecretsOf(row);
    expect([row.secret, older?.secret].every((each) => each!.startsWith('enc1.'))).toBe(true);
    expect(JSON.stringify(row)).not.toContain('whsec_');
    expect(box.open(row.secret, id)).toBe(json.secret);
    expect(box.open(older!.secret, id)).toBe(secret);
  });

  it.each([
    ['a document that does not parse', { document: 'subscription {' }, 'GRAPHQL_PARSE_FAILED'],
    ['a field that is not in the schema', { document: 'subscription { nope }' }, 'GRAPHQL_VALIDATION_FAILED'],
    ['a query', { document: '{ nothing }' }, 'BAD_USER_INPUT'],
    [
      'a variable that is missing',
      { document: 'subscription($id: ID!) { counter(id: $id) { counterId } }' },
      'BAD_USER_INPUT',
    ],
    [
      'a subscription that completes after one message',
      { document: 'subscription { nextAlarm(id: 1) }' },
      'BAD_USER_INPUT',
    ],
    ['deep variables', deepVariables, 'OPERATION_TOO_COMPLEX'],
    ['a document with too many aliases', { document: manyAliases }, 'OPERATION_TOO_COMPLEX'],
    ['an unknown BFF', { bff: 'unknown' }, 'BAD_USER_INPUT'],
    ['an invalid URL', { url: 'nowhere' }, 'BAD_USER_INPUT'],
    ['http to another host', { url: 'http://10.0.0.1/' }, 'BAD_USER_INPUT'],
    ['a link-local address', { url: 'https://169.254.169.254/' }, 'BAD_USER_INPUT'],
    ['an unknown field', { adress: 'x' }, 'BAD_USER_INPUT'],
    ['a body that is not JSON', 'not json', 'BAD_REQUEST'],
    ['a body of more than 64 KiB', { document: 'x'.repeat(70_000) }, 'PAYLOAD_TOO_LARGE'],
  ])('refuses %s with an error code', async (_what, given, code) => {
    const body = typeof given === 'string' ? given : { url, document: allCounters, ...given };
    const { json, status } = await register(body);
    expect(json.error.code).toBe(code);
    expect(status).toBe(code === 'PAYLOAD_TOO_LARGE' ? 413 : 400);
    expect(JSON.stringify(json)).not.toMatch(/at .*\.ts/);
  });

  it('locates an error in the document', async () => {
    const { json } = await register({ url, document: 'subscription { nope }' });
    expect(json.error.details).toMatchObject({
      field: 'document',
      errors: [{ message: expect.stringContaining('nope'), locations: [{ line: 1, column: 16 }] }],
    });
  });

  it('is for partners only', async () => {
    const body = { url, document: allCounters };
    expect((await register(body, 'nobody')).json.error.code).toBe('UNAUTHENTICATED');
    expect((await register(body, 'member-7')).json.error.code).toBe('FORBIDDEN');
    expect((await register(body, 'operator-7')).status).toBe(403);
  });

  it('refuses private addresses and http without allowPrivateTargets', async () => {
    const strict = await createWebhookWorld({ allowPrivateTargets: false });
    for (const target of [
      'http://127.0.0.1:1/',
      'https://127.0.0.1/',
      'https://localhost/',
      'https://[::1]/',
    ]) {
      const { json } = await strict.call<ErrorAnswer>('POST', '/webhooks/endpoints', {
        url: target,
        document: allCounters,
      });
      expect(json.error, target).toMatchObject({ code: 'BAD_USER_INPUT', details: { field: 'url' } });
    }
    await strict.close();
  });

  it("answers NOT_FOUND for another partner's endpoint", async () => {
    const { id } = await world.register(url);
    const path = `/webhooks/endpoints/${id}`;
    for (const [method, at] of [
      ['GET', path],
      ['GET', `${path}/deliveries`],
      ['DELETE', path],
      ['POST', `${path}/rotate-secret`],
      ['POST', `${path}/enable`],
      ['POST', `${path}/pause`],
      ['POST', `${path}/test`],
    ] as const) {
      const { json, status } = await world.call<ErrorAnswer>(method, at, undefined, 'partner-rival');
      expect([status, json.error.code], `${method} ${at}`).toEqual([404, 'NOT_FOUND']);
    }
    const list = (token: string) =>
      world.call<{ endpoints: { id: string }[] }>('GET', '/webhooks/endpoints', undefined, token);
    expect((await list('partner-rival')).json.endpoints).toEqual([]);
    expect((await list('partner-acme')).json.endpoints.map((each) => each.id)).toContain(id);
  });

  it('lets an operator list, read and delete the endpoints of every partner', async () => {
    const [acme, rival] = [
      await world.register(url),
      await world.register(url, allCounters, {}, 'partner-rival'),
    ];
    interface Page {
      endpoints: { id: string; partner: string }[];
      next?: string;
    }
    const list = (query = '') =>
      world.call<Page>('GET', `/webhooks/endpoints${query}`, undefined, 'operator-7');
    const all = (await list()).json.endpoints;
    expect(all.map(({ id }) => id)).toEqual(expect.arrayContaining([acme.id, rival.id]));
    expect((await list('?partner=rival')).json.endpoints.map(({ partner }) => partner)).toEqual(['rival']);
    const paged: string[] = [];
    for (let query = '?limit=1'; query !== '';) {
      const { endpoints, next } = (await list(query)).json;
      paged.push(...endpoints.map(({ id }) => id));
      query = next === undefined ? '' : `?limit=1&after=${next}`;
    }
    expect(paged).toEqual(all.map(({ id }) => id));
    expect((await list('?partner=')).status).toBe(400);
    const path = `/webhooks/endpoints/${rival.id}`;
    expect((await world.call('GET', path, undefined, 'operator-7')).status).toBe(200);
    expect((await world.call('GET', `${path}/deliveries`, undefined, 'operator-7')).status).toBe(200);
    expect((await world.call('POST', `${path}/rotate-secret`, undefined, 'operator-7')).status).toBe(403);
    expect((await world.call('DELETE', path, undefined, 'operator-7')).status).toBe(204);
    expect((await world.call('GET', path, undefined, 'partner-rival')).status).toBe(404);
  });

  it("shows a partner no other partner's endpoints, whatever partner it asks for", async () => {
    await world.register(url, allCounters, {}, 'partner-rival');
    const { json } = await world.call<{ endpoints: object[] }>('GET', '/webhooks/endpoints?partner=rival');
    expect(json.endpoints).toEqual([]);
  });

  it('enables an endpoint that an operator paused for an operator only', async () => {
    const { id } = await world.register(url);
    const path = `/webhooks/endpoints/${id}`;
    const post = (action: string, token: string) =>
      world.call<{ status: string; disabledReason?: string }>('POST', `${path}/${action}`, undefined, token);
    expect((await post('pause', 'partner-rival')).status).toBe(404);
    expect((await post('pause', 'partner-acme')).json).toMatchObject({
      status: 'disabled',
      disabledReason: 'Its partner paused it.',
    });
    expect((await post('enable', 'partner-acme')).json.status).toBe('enabled');
    await post('pause', 'partner-acme');
    expect((await post('pause', 'operator-7')).json).toMatchObject({
      status: 'disabled',
      disabledReason: 'An operator paused it.',
    });
    expect((await post('enable', 'partner-acme')).status).toBe(403);
    expect((await post('enable', 'operator-7')).json.status).toBe('enabled');
  });

  it('sends ten test messages of an endpoint a minute', async () => {
    const { id } = await world.register(url);
    world.advance(0);
    const test = () => world.call<ErrorAnswer>('POST', `/webhooks/endpoints/${id}/test`);
    for (let sent = 0; sent < 10; sent++) expect((await test()).status).toBe(202);
    world.advance(20_000);
    const refused = await test();
    expect(refused.status).toBe(429);
    expect(refused.json.error).toMatchObject({ code: 'RATE_LIMITED', details: { retryAfterMs: 40_000 } });
    expect(refused.headers.get('retry-after')).toBe('40');
    const other = await world.register(url);
    expect((await world.call('POST', `/webhooks/endpoints/${other.id}/test`)).status).toBe(202);
    world.advance(40_000);
    expect((await test()).status).toBe(202);
  });

  it('deletes an endpoint', async () => {
    const { id } = await world.register(url);
    expect((await world.call('DELETE', `/webhooks/endpoints/${id}`)).status).toBe(204);
    expect((await world.call('GET', `/webhooks/endpoints/${id}`)).status).toBe(404);
  });

  it('lists the allowed methods of a path, and does not answer other paths', async () => {
    const put = await world.call<ErrorAnswer>('PUT', '/webhooks/endpoints', {});
    expect(put.json.error.code).toBe('METHOD_NOT_ALLOWED');
    expect(put.headers.get('allow')).toBe('POST, GET');
    expect(await world.handle(new Request('http://gateway/other'))).toBeUndefined();
  });

  it('describes itself in OpenAPI 3.1 from the schemas that it parses requests with', async () => {
    const response = await world.handle(new Request('http://gateway/webhooks/openapi.json'));
    const openApi = (await response!.json()) as {
      openapi: string;
      paths: Record<string, Record<string, { operationId: string }>>;
      components: { schemas: Record<string, { required?: string[]; properties: Record<string, object> }> };
    };
    expect(openApi.openapi).toBe('3.1.0');
    expect(Object.keys(openApi.paths)).toContain('/webhooks/endpoints/{id}/rotate-secret');
    expect(openApi.components.schemas['EndpointInput']?.required).toEqual(['url', 'document']);
    expect(openApi.components.schemas['Endpoint']?.properties['url']).toBeDefined();
    for (const [, name] of JSON.stringify(openApi).matchAll(/#\/components\/schemas\/(\w+)/g)) {
      expect(openApi.components.schemas).toHaveProperty(name!);
    }
  });
});
