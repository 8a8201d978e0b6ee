/** Promise: a value of a wrong type or form is an error where its absence would widen the answer. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  AttackedPlatform,
  describeAttacks,
  type HttpAttack,
  type Outcome,
  type Row,
} from './attacked-platform.ts';
import { converse, INIT } from './websocket-frames.ts';

const STOCK = 'subscription { stock(productId: "novel") { productId } }';

const cursors: readonly (readonly [rule: string, cursor: unknown])[] = [
  ['a cursor that is empty', ''],
  ['a cursor that is null', null],
  ['a cursor that is a number', 1],
  ['a cursor that is zero', 0],
  ['a cursor that is false', false],
  ['a cursor that is a list', ['AAAA']],
  ['a cursor that is an empty list', []],
  ['a cursor that is an object', { toString: 'AAAA' }],
  ['a cursor of letters', 'AAAA'],
  ['a cursor of a space', ' '],
  ['a cursor that is not base64url', '????'],
  ['a cursor of 10,000 letters', 'A'.repeat(10_000)],
];

const cursorRows = (outcome: Outcome): readonly Row<unknown>[] =>
  cursors.map(([rule, cursor]) => [rule, cursor, outcome] as const);

const headerCursors: readonly Row<string>[] = [
  ['a Last-Event-ID of letters', 'AAAA', '200 CURSOR_INVALID'],
  ['a Last-Event-ID of a number', '0', '200 CURSOR_INVALID'],
  ['a Last-Event-ID of null', 'null', '200 CURSOR_INVALID'],
  ['a Last-Event-ID of another system', '1732700000-0', '200 CURSOR_INVALID'],
];

const refused = '200 BAD_USER_INPUT';
const invalid = '400 GRAPHQL_VALIDATION_FAILED';

const list = (given: string): string => `{ orders(${given}) { totalCount } }`;
const order = (id: string): string => `{ order(id: ${JSON.stringify(id)}) { id } }`;
const place = (line: string, more = ''): string =>
  `mutation { placeOrder(input: { lines: [${line}] ${more} }) { __typename } }`;
const LINE = '{ productId: "novel", quantity: 1 }';

const queries: readonly Row<string>[] = [
  ['a page of nothing', list('first: 0'), refused],
  ['a page of a negative size', list('first: -1'), refused],
  ['a page over the limit', list('first: 101'), refused],
  ['a page of the largest integer', list('first: 2147483647'), '400 OPERATION_TOO_COMPLEX'],
  ['a page beyond an integer', list('first: 2147483648'), invalid],
  ['a page of a fraction', list('first: 1.5'), invalid],
  ['a page of a text', list('first: "1"'), invalid],
  ['a page of null', list('first: null'), invalid],
  ['a page after an empty cursor', list('after: ""'), refused],
  ['a page after a malformed cursor', list('after: "zzz"'), refused],
  ['a page after a cursor of an object', list(`after: "${btoa('{}')}"`), refused],
  ['a page after a cursor of an empty list', list(`after: "${btoa('[]')}"`), refused],
  ['a page after a cursor of SQL', list(`after: "${btoa('["\' or 1=1 --","a"]')}"`), refused],
  ['a filter by no status', list('status: []'), refused],
  ['a filter by a status of null', list('status: [null]'), invalid],
  ['a filter by an unknown status', list('status: [LOST]'), invalid],
  ['a filter by a status in a text', list('status: ["PLACED"]'), invalid],
  ['an empty consistency token', list('notOlderThan: ""'), refused],
  ['a malformed consistency token', list('notOlderThan: "zzz"'), refused],
  ['a consistency token of a negative version', list('notOlderThan: "order/a@-1"'), refused],
  ['a consistency token of a fraction', list('notOlderThan: "order/a@1.5"'), refused],
  ['a consistency token that is a number', list('notOlderThan: 1'), refused],
  ['a consistency token of zero', list('notOlderThan: 0'), refused],
  ['a consistency token of false', list('notOlderThan: false'), refused],
  ['a consistency token that is a list', list('notOlderThan: []'), refused],
  ['a consistency token that is an object', list('notOlderThan: {}'), refused],
  [
    'a consistency token of an order that is a list',
    '{ order(id: "a", notOlderThan: ["order/a@1"]) { id } }',
    refused,
  ],
  ['strict that is null', list('strict: null'), invalid],
  ['strict that is a text', list('strict: "true"'), invalid],
  ['an order of an empty id', order(''), refused],
  ['an order of a space', order(' '), refused],
  ['an order of a path', order('../../etc/passwd'), refused],
  ['an order of a NUL', order('a\0b'), refused],
  ['an order of a wildcard', order('*'), refused],
  ['an order of SQL', order("' or 1=1 --"), refused],
  ['an order of 300 characters', order('a'.repeat(300)), refused],
  ['an order of an id of null', '{ order(id: null) { id } }', invalid],
  ['an order of an id of a list', '{ order(id: ["a"]) { id } }', invalid],
  ['a product of an empty id', '{ product(id: "") { id } }', refused],
  [
    'a malformed id fails its own field only',
    '{ a: product(id: "novel") { id } b: product(id: "") { id } }',
    refused,
  ],
  ['products of an empty category', '{ products(category: "") { totalCount } }', refused],
  ['an order without lines', place(''), refused],
  ['an order of no piece', place('{ productId: "novel", quantity: 0 }'), refused],
  ['an order of fewer than no pieces', place('{ productId: "novel", quantity: -1 }'), refused],
  ['an order of 1,000 pieces', place('{ productId: "novel", quantity: 1000 }'), refused],
  ['an order of half a piece', place('{ productId: "novel", quantity: 0.5 }'), invalid],
  ['an order of an empty product', place('{ productId: "", quantity: 1 }'), refused],
  ['an order at a price of one’s own', place('{ productId: "novel", quantity: 1, unitPrice: 1 }'), invalid],
  ['an order with an empty command id', place(LINE, 'commandId: ""'), refused],
  ['an order with a command id of spaces', place(LINE, 'commandId: "a b"'), refused],
  ['an order with a note of 501 characters', place(LINE, `note: "${'x'.repeat(501)}"`), refused],
  ['an order for another customer', place(LINE, 'customerId: "customer-2"'), invalid],
  [
    'a cancellation of an empty id',
    'mutation { cancelOrder(input: { orderId: "" }) { __typename } }',
    refused,
  ],
  [
    'a cancellation with a reason of 501 characters',
    `mutation { cancelOrder(input: { orderId: "a", reason: "${'x'.repeat(501)}" }) { __typename } }`,
    refused,
  ],
];

const live = (field: string): string => `subscription { ${field} }`;
const ORDER = '{ id }';
const liveRefused = '1:error=BAD_USER_INPUT';
const liveInvalid = '1:error=GRAPHQL_VALIDATION_FAILED';

/** As an operator, who sees the orders of every customer when no customer is named. */
const subscriptions: readonly Row<string>[] = [
  ['orders of an empty customer', live(`orders(filter: { customerId: "" }) ${ORDER}`), liveRefused],
  ['orders of a customer of spaces', live(`orders(filter: { customerId: "  " }) ${ORDER}`), liveRefused],
  [
    'orders of a customer of 300 characters',
    live(`orders(filter: { customerId: "${'a'.repeat(300)}" }) ${ORDER}`),
    liveRefused,
  ],
  [
    'orders of a customer that is a list',
    live(`orders(filter: { customerId: ["a"] }) ${ORDER}`),
    liveInvalid,
  ],
  ['orders of no status', live(`orders(filter: { status: [] }) ${ORDER}`), liveRefused],
  ['orders of a status of null', live(`orders(filter: { status: [null] }) ${ORDER}`), liveInvalid],
  ['orders of an unknown status', live(`orders(filter: { status: [LOST] }) ${ORDER}`), liveInvalid],
  ['orders of an unknown filter', live(`orders(filter: { customer: "a" }) ${ORDER}`), liveInvalid],
  ['orders of a filter that is a list of filters', live(`orders(filter: [{}, {}]) ${ORDER}`), liveInvalid],
  ['an order of an empty id', live(`order(id: "") ${ORDER}`), liveRefused],
  ['an order of a path', live(`order(id: "../a") ${ORDER}`), liveRefused],
  ['an order that does not exist', live(`order(id: "none") ${ORDER}`), '1:error=NOT_FOUND'],
  ['stock of an empty product', live('stock(productId: "") { productId }'), liveRefused],
  [
    'stock of a product that does not exist',
    live('stock(productId: "none") { productId }'),
    '1:error=NOT_FOUND',
  ],
  ['the outcome of an empty command', live('commandOutcome(id: "") { __typename }'), liveRefused],
  ['two live fields at once', live(`stock(productId: "novel") { productId } orders ${ORDER}`), liveInvalid],
  [
    'a live field that is skipped',
    live('stock(productId: "novel") @skip(if: true) { productId }'),
    liveInvalid,
  ],
];

describe('a wrong value is an error:', () => {
  let world: AttackedPlatform;
  let customer: string;
  let operator: string;

  beforeAll(async () => {
    world = await AttackedPlatform.start();
    customer = `Bearer ${await world.platform.token('customer-1', 'customer')}`;
    operator = `Bearer ${await world.platform.token('operator-1', 'operator')}`;
  });

  afterAll(() => world?.[Symbol.asyncDispose]());

  const stream = (attack: HttpAttack): Promise<Outcome> =>
    world.send({ ...attack, headers: { accept: 'text/event-stream', ...attack.headers } });
  const subscribe = (payload: object) => ({ type: 'subscribe', id: '1', payload });

  describeAttacks('over WebSocket', cursorRows('1:error=CURSOR_INVALID'), (cursor, expected) =>
    converse(world.url, [INIT, subscribe({ query: STOCK, extensions: { cursor } })], expected),
  );

  describeAttacks('on an event stream by POST', cursorRows('200 CURSOR_INVALID'), (cursor) =>
    stream({ body: { query: STOCK, extensions: { cursor } } }),
  );

  describeAttacks('on an event stream by GET', cursorRows('200 CURSOR_INVALID'), (cursor) => {
    const search = new URLSearchParams({ query: STOCK, extensions: JSON.stringify({ cursor }) });
    return stream({ path: `/graphql/web?${search.toString()}` });
  });

  describeAttacks('by a header', headerCursors, (id) =>
    stream({ body: { query: STOCK }, headers: { 'last-event-id': id } }),
  );

  describeAttacks('in a query or mutation', queries, (query) =>
    world.send({ headers: { authorization: customer }, body: { query } }),
  );

  describeAttacks('in a subscription', subscriptions, (query, expected) => {
    const init = { ...INIT, payload: { authorization: operator } };
    return converse(world.url, [init, subscribe({ query })], expected);
  });

  it('the gateway is as it was', async () => {
    expect(await world.harm()).toEqual([]);
  });
});
