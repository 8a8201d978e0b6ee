/** Promise: beside the table of rights, routes, streams, cursors and tokens of others are refused with one code each. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { graphql, placeOrder, type Placed } from '../harness/graphql.ts';
import {
  AttackedPlatform,
  describeAttacks,
  type HttpAttack,
  type Outcome,
  type Row,
} from './attacked-platform.ts';
import { firstCursor } from './first-cursor.ts';
import { converse, INIT, type Step } from './websocket-frames.ts';

const VIEWERS = {
  ada: { role: 'customer' },
  bob: { role: 'customer' },
  partner: { role: 'partner', customers: ['bob'] },
  operator: { role: 'operator' },
} as const;
type Viewer = keyof typeof VIEWERS | 'nobody';

/** Attack of a viewer on the order, the cursor, the stream or the endpoint of others, which stand in braces. */
interface ViewerAttack extends HttpAttack {
  readonly as: Viewer;
}

const signedOut = '401 UNAUTHENTICATED';
const forbidden = '403 FORBIDDEN';
const missing = '404 NOT_FOUND';
const invalid = '400 BAD_USER_INPUT';

const by = (as: Viewer, path: string, body?: string | object, method?: string): ViewerAttack => ({
  ...{ as, path, method: method ?? (body === undefined ? 'GET' : 'POST') },
  ...(body !== undefined && { body }),
});

const REVOCATIONS = '/api/access/revocations';
const revoke = (as: Viewer, body: string | object): ViewerAttack => by(as, REVOCATIONS, body);

const revocations: readonly Row<ViewerAttack>[] = [
  ['nobody revokes', revoke('nobody', { subject: 'x' }), signedOut],
  ['a customer revokes another one', revoke('bob', { subject: 'ada' }), forbidden],
  ['a customer revokes itself', revoke('bob', { subject: 'bob' }), forbidden],
  ['a partner revokes', revoke('partner', { subject: 'ada' }), forbidden],
  ['an operator revokes a token', revoke('operator', { tokenId: 'unused' }), '201'],
  ['an operator revokes nothing', revoke('operator', {}), invalid],
  ['an operator revokes an empty subject', revoke('operator', { subject: '' }), invalid],
  ['an operator revokes a subject of null', revoke('operator', { subject: null }), invalid],
  ['an operator revokes a list of subjects', revoke('operator', { subject: ['a'] }), invalid],
  ['an operator revokes `__proto__`', revoke('operator', { subject: '__proto__' }), invalid],
  ['an operator revokes an empty token', revoke('operator', { tokenId: '' }), invalid],
  ['an operator sends no JSON', revoke('operator', '{"subject":'), '400 BAD_REQUEST'],
  ['an operator sends 100 KB', revoke('operator', { subject: 'x'.repeat(100_000) }), '413 PAYLOAD_TOO_LARGE'],
  ['an operator asks by GET', by('operator', REVOCATIONS), '405 METHOD_NOT_ALLOWED'],
];

const ENDPOINTS = '/webhooks/endpoints';
const DOCUMENT = 'subscription { orders { id } }';
const endpoint = (more: object = {}) => ({ url: 'https://example.com/hook', document: DOCUMENT, ...more });
const register = (as: Viewer, more?: object): ViewerAttack => by(as, ENDPOINTS, endpoint(more));
const registerAt = (url: unknown): ViewerAttack => register('partner', { url });

const webhooks: readonly Row<ViewerAttack>[] = [
  ['nobody lists endpoints', by('nobody', ENDPOINTS), signedOut],
  ['a customer lists endpoints', by('bob', ENDPOINTS), forbidden],
  ['nobody registers an endpoint', register('nobody'), signedOut],
  ['a customer registers an endpoint', register('bob'), forbidden],
  ['an operator registers an endpoint', register('operator'), forbidden],
  ['a partner reads an endpoint that is none of its own', by('partner', `${ENDPOINTS}/none`), missing],
  [
    'a partner deletes an endpoint that is none of its own',
    by('partner', `${ENDPOINTS}/none`, undefined, 'DELETE'),
    missing,
  ],
  [
    'a partner pauses an endpoint that is none of its own',
    by('partner', `${ENDPOINTS}/none/pause`, undefined, 'POST'),
    missing,
  ],
  [
    'a partner rotates a secret that is none of its own',
    by('partner', `${ENDPOINTS}/none/rotate-secret`, undefined, 'POST'),
    missing,
  ],
  ['a partner reads an endpoint of a path', by('partner', `${ENDPOINTS}/..%2f..%2fetc`), missing],
  ['a partner puts an endpoint', by('partner', ENDPOINTS, endpoint(), 'PUT'), '405 METHOD_NOT_ALLOWED'],
  ['an endpoint of no address', register('partner', { url: undefined }), invalid],
  ['an endpoint of an address that is none', registerAt('nowhere'), invalid],
  ['an endpoint without TLS', registerAt('http://example.com/'), invalid],
  ['an endpoint of a file', registerAt('file:///etc/passwd'), invalid],
  ['an endpoint with a user', registerAt('https://user:secret@example.com/'), invalid],
  ['an endpoint of this machine', registerAt('https://127.0.0.1/'), invalid],
  ['an endpoint of this machine by one number', registerAt('https://2130706433/'), invalid],
  ['an endpoint of this machine in hexadecimal', registerAt('https://0x7f.1/'), invalid],
  ['an endpoint of this machine by its name', registerAt('https://localhost/'), invalid],
  ['an endpoint of this machine in IPv6', registerAt('https://[::1]/'), invalid],
  ['an endpoint of this machine in mapped IPv6', registerAt('https://[::ffff:127.0.0.1]/'), invalid],
  ['an endpoint of any address', registerAt('https://0.0.0.0/'), invalid],
  ['an endpoint of a private network', registerAt('https://10.0.0.1/'), invalid],
  [
    'an endpoint of the metadata of a cloud',
    registerAt('https://169.254.169.254/latest/meta-data/'),
    invalid,
  ],
  ['an endpoint of a private network in IPv6', registerAt('https://[fd00::1]/'), invalid],
  ['an endpoint of an unknown member', register('partner', { secret: 'mine' }), invalid],
  ['an endpoint of a query', register('partner', { document: '{ me { id } }' }), '400 BAD_USER_INPUT'],
  [
    'an endpoint of a document that does not parse',
    register('partner', { document: 'subscription {' }),
    '400 GRAPHQL_PARSE_FAILED',
  ],
  [
    'an endpoint of an unknown field',
    register('partner', { document: 'subscription { nonsense }' }),
    '400 GRAPHQL_VALIDATION_FAILED',
  ],
  ['an endpoint of variables that are a list', register('partner', { variables: [] }), invalid],
  [
    'an endpoint of an empty customer',
    register('partner', { document: 'subscription { orders(filter: { customerId: "" }) { id } }' }),
    invalid,
  ],
  [
    'an endpoint of a customer that was not granted',
    register('partner', { document: 'subscription { orders(filter: { customerId: "ada" }) { id } }' }),
    forbidden,
  ],
  ['an endpoint of an unknown BFF', register('partner', { bff: 'none' }), invalid],
];

const LOGIN = { sub: 'ada', role: 'operator' };
const others: readonly Row<ViewerAttack>[] = [
  ['development tokens where a secret is set', by('nobody', '/dev/token', LOGIN), missing],
  ['development tokens by GET', by('nobody', '/dev/token'), missing],
  ['development tokens for an operator', by('operator', '/dev/token', LOGIN), missing],
  [
    'the stream of another viewer is opened',
    { as: 'bob', path: '/graphql/web?token={stream}', headers: { accept: 'text/event-stream' } },
    missing,
  ],
  [
    'an operation is started on the stream of another viewer',
    by('bob', '/graphql/web?token={stream}', { query: DOCUMENT, extensions: { operationId: '1' } }),
    missing,
  ],
  [
    'an operation is ended on the stream of another viewer',
    by('bob', '/graphql/web?token={stream}&operationId=1', undefined, 'DELETE'),
    missing,
  ],
  [
    'a stream that nobody reserved',
    { as: 'ada', path: '/graphql/web?token=none', headers: { accept: 'text/event-stream' } },
    missing,
  ],
];

const ask = (as: Viewer, query: string): ViewerAttack => ({ as, body: { query } });
const place = (more: string): string =>
  `mutation { placeOrder(input: { lines: [{ productId: "novel", quantity: 1 }] ${more} }) { ... on CommandRejected { reason { code } } } }`;
const cancel = (id: string): string =>
  `mutation { cancelOrder(input: { orderId: "${id}" }) { ... on CommandRejected { reason { code } } } }`;

const commands: readonly Row<ViewerAttack>[] = [
  ['nobody places an order', ask('nobody', place('')), '200 UNAUTHENTICATED'],
  ['a partner places an order', ask('partner', place('')), '200 FORBIDDEN'],
  ['nobody cancels an order', ask('nobody', cancel('{order}')), '200 UNAUTHENTICATED'],
  ['a partner cancels an order', ask('partner', cancel('{order}')), '200 FORBIDDEN'],
  ['a customer cancels the order of another one', ask('bob', cancel('{order}')), '200 ORDER_NOT_FOUND'],
  ['a customer cancels an order that does not exist', ask('bob', cancel('none')), '200 ORDER_NOT_FOUND'],
  ['nobody lists orders', ask('nobody', '{ orders { totalCount } }'), '200 UNAUTHENTICATED'],
  [
    'a strict read of the order of another customer',
    ask('bob', '{ order(id: "{order}", notOlderThan: "{token}", strict: true) { id } }'),
    '200 STALE_READ',
  ],
];

const renew = (name: Viewer): Step => ({
  type: 'ping',
  payload: { tidegate: { authorization: `{${name}}` } },
});
const init = (name: Viewer): Step => ({ ...INIT, payload: { authorization: `{${name}}` } });
const subscribe = (query: string, extensions = {}): Step => ({
  type: 'subscribe',
  id: '1',
  payload: { query, extensions },
});

const connections: readonly Row<readonly Step[]>[] = [
  ['a token is renewed by its own subject', [init('bob'), renew('bob')], 'pong'],
  ['a token is renewed by another subject', [init('bob'), renew('ada')], '4403 FORBIDDEN'],
  ['a token is renewed by an operator', [init('bob'), renew('operator')], '4403 FORBIDDEN'],
  ['nobody becomes a customer by renewal', [INIT, renew('bob')], '4403 FORBIDDEN'],
  [
    'a subscription to the orders of another customer',
    [init('bob'), subscribe('subscription { orders(filter: { customerId: "ada" }) { id } }')],
    '1:error=FORBIDDEN',
  ],
  [
    'a subscription of a partner to a customer that was not granted',
    [init('partner'), subscribe('subscription { orders(filter: { customerId: "ada" }) { id } }')],
    '1:error=FORBIDDEN',
  ],
  ['a subscription of nobody to orders', [INIT, subscribe(DOCUMENT)], '1:error=UNAUTHENTICATED'],
  [
    'a subscription to the order of another customer',
    [init('bob'), subscribe('subscription { order(id: "{order}") { id } }')],
    '1:error=NOT_FOUND',
  ],
  [
    'a subscription to the outcome of a command of another customer waits as for one that never comes',
    [init('bob'), subscribe('subscription { commandOutcome(id: "{command}") { __typename } }')],
    '',
  ],
  [
    'the cursor of another customer',
    [init('bob'), subscribe(DOCUMENT, { cursor: '{cursor}' })],
    '1:error=CURSOR_FOREIGN',
  ],
  [
    'the cursor of a customer as an operator',
    [init('operator'), subscribe(DOCUMENT, { cursor: '{cursor}' })],
    '1:error=CURSOR_FOREIGN',
  ],
  [
    'the cursor of another document',
    [init('ada'), subscribe('subscription { orders { id status } }', { cursor: '{cursor}' })],
    '1:error=CURSOR_FOREIGN',
  ],
  [
    'a cursor with a letter before it',
    [init('ada'), subscribe(DOCUMENT, { cursor: 'A{cursor}' })],
    '1:error=CURSOR_INVALID',
  ],
];

describe('the rights of others:', () => {
  let world: AttackedPlatform;
  /** Values of the names in braces. */
  const known = new Map<string, string>();
  const fill = <Value>(value: Value): Value =>
    JSON.parse(
      JSON.stringify(value).replace(/\{(\w+)\}/g, (whole, name: string) => known.get(name) ?? whole),
    ) as Value;

  beforeAll(async () => {
    world = await AttackedPlatform.start({ WEBHOOK_ALLOW_PRIVATE: '0' });
    for (const [name, viewer] of Object.entries(VIEWERS)) {
      const customers = 'customers' in viewer ? viewer.customers : undefined;
      known.set(name, `Bearer ${await world.platform.token(name, viewer.role, customers)}`);
    }
    const token = known.get('ada')!;
    const placed: Placed = await placeOrder(world.url, token.slice(7), [{ productId: 'novel', quantity: 1 }]);
    await graphql(`${world.url}/graphql/web`, token.slice(7), {
      query: `{ order(id: "${placed.orderId}") { id } }`,
    });
    known.set('order', placed.orderId).set('command', placed.commandId).set('token', placed.token);
    const headers = { authorization: token };
    known.set('stream', await (await fetch(`${world.url}/graphql/web`, { method: 'PUT', headers })).text());
    known.set('cursor', await firstCursor(`${world.url}/graphql/web`, DOCUMENT, headers));
  });

  afterAll(() => world?.[Symbol.asyncDispose]());

  const send = (given: ViewerAttack): Promise<Outcome> => {
    const { as, ...attack } = fill(given);
    const authorization = known.get(as);
    return world.send({ ...attack, headers: { ...attack.headers, ...(authorization && { authorization }) } });
  };

  describeAttacks('routes', others, send);
  describeAttacks('revocations', revocations, send);
  describeAttacks('webhooks', webhooks, send);
  describeAttacks('commands', commands, send);
  describeAttacks('connections', connections, (steps, expected) =>
    converse(world.url, fill(steps), expected),
  );

  it('the gateway is as it was', async () => {
    expect(await world.harm()).toEqual([]);
  });
});
