/** Promise: an operation over WebSocket is its identity, not its id. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AttackedPlatform, describeAttacks, type Row } from './attacked-platform.ts';
import { converse, INIT, type Step } from './websocket-frames.ts';

const PING = { type: 'ping' };
const QUERY = '{ me { id } }';
const STOCK = 'subscription { stock(productId: "novel") { productId } }';
const MUTATION = 'mutation { cancelOrder(input: { orderId: "a" }) { __typename } }';

const subscribe = (id: unknown, query: unknown = STOCK) => ({ type: 'subscribe', id, payload: { query } });
const complete = (id: unknown) => ({ type: 'complete', id });
const after = (message: string) => ({ after: message });
const times = (count: number, step: (at: number) => Step): Step[] =>
  Array.from({ length: count }, (_, at) => step(at));

/** Each begins after `connection_init`. */
const ids: readonly Row<readonly Step[]>[] = [
  [
    'an id is free once its `complete` was sent, after a pause',
    [subscribe('1'), after('1:next'), complete('1'), PING, after('pong'), subscribe('1')],
    '1:next pong 1:next',
  ],
  [
    'an id is free in the same write as its `complete`',
    [subscribe('1'), complete('1'), subscribe('1')],
    '1:next',
  ],
  [
    'an id is free as often as it is completed',
    [...times(20, () => subscribe('1')).flatMap((step) => [step, complete('1')]), subscribe('1')],
    '1:next',
  ],
  [
    'an id is free after a subscription that ran',
    [subscribe('1'), after('1:next'), complete('1'), subscribe('1')],
    '1:next 1:next',
  ],
  [
    'an id is free after a query that was still running',
    [subscribe('1', QUERY), complete('1'), subscribe('1')],
    '1:next',
  ],
  [
    'an id of a subscription serves a query next',
    [subscribe('1'), complete('1'), subscribe('1', QUERY)],
    '1:next 1:complete',
  ],
  [
    'an id is free after its query completed',
    [subscribe('1', QUERY), after('1:complete'), subscribe('1', QUERY)],
    '1:next 1:complete 1:next 1:complete',
  ],
  [
    'an id is free after its error',
    [subscribe('1', '{ nonsense }'), after('1:error=GRAPHQL_VALIDATION_FAILED'), subscribe('1', QUERY)],
    '1:error=GRAPHQL_VALIDATION_FAILED 1:next 1:complete',
  ],
  [
    'an id is free after a refused mutation',
    [subscribe('1', MUTATION), after('1:complete'), subscribe('1', QUERY)],
    '1:next 1:complete 1:next 1:complete',
  ],
  ['a completed subscription sends nothing', [subscribe('1'), complete('1')], ''],
  [
    'a second `complete` is ignored',
    [subscribe('1', QUERY), after('1:complete'), complete('1'), complete('1'), PING],
    '1:next 1:complete pong',
  ],
  ['a `complete` of an unknown id is ignored', [complete('none'), PING], 'pong'],
  ['a `complete` before its `subscribe` does not cancel it', [complete('1'), subscribe('1')], '1:next'],
  [
    'a `complete` ends its own operation only',
    [subscribe('1'), subscribe('2'), after('2:next'), complete('1'), subscribe('3')],
    '1:next 2:next 3:next',
  ],
  ['an id that is in use closes', [subscribe('1'), subscribe('1')], '4409 Subscriber for 1 already exists'],
  [
    'an id that is in use closes after a pause',
    [subscribe('1'), after('1:next'), subscribe('1')],
    '1:next 4409 Subscriber for 1 already exists',
  ],
  [
    'an id that is in use by a query closes',
    [subscribe('1', QUERY), subscribe('1', QUERY)],
    '4409 Subscriber for 1 already exists',
  ],
  ['ids that differ by case are two', [subscribe('a'), after('a:next'), subscribe('A')], 'a:next A:next'],
  [
    'ids that differ by a space are two',
    [subscribe('a'), after('a:next'), subscribe('a ')],
    'a:next a :next',
  ],
  ['the id `__proto__` is an id', [subscribe('__proto__', QUERY)], '__proto__:next __proto__:complete'],
  [
    'the id `constructor` is an id',
    [subscribe('constructor', QUERY)],
    'constructor:next constructor:complete',
  ],
  ['an id of 128 bytes is taken', [subscribe('i'.repeat(128), QUERY)], 'long:next long:complete'],
  ['an id of 129 bytes closes', [subscribe('i'.repeat(129))], '4400 An operation id has at most 128 bytes'],
  [
    'an id of 65 characters of two bytes closes',
    [subscribe('é'.repeat(65))],
    '4400 An operation id has at most 128 bytes',
  ],
  ['an id of 33 emoji closes', [subscribe('🐟'.repeat(33))], '4400 An operation id has at most 128 bytes'],
  ['an id of 8 KB closes', [subscribe('i'.repeat(8_000))], '4400 An operation id has at most 128 bytes'],
  [
    'a `complete` of an id of 8 KB closes',
    [complete('i'.repeat(8_000))],
    '4400 An operation id has at most 128 bytes',
  ],
  [
    'operations beyond the limit are refused and the others continue',
    [
      ...times(5, (at) => subscribe(`${at}`)).flatMap((step, at) => [step, after(`${at}:next`)]),
      subscribe('5'),
      after('5:error=TOO_MANY_SUBSCRIPTIONS'),
      PING,
    ],
    '0:next 1:next 2:next 3:next 4:next 5:error=TOO_MANY_SUBSCRIPTIONS pong',
  ],
  [
    'places are free after `complete`',
    [...times(30, (at) => [subscribe(`${at}`), complete(`${at}`)]).flat(), subscribe('last')],
    'last:next',
  ],
];

describe('over WebSocket,', () => {
  let world: AttackedPlatform;

  beforeAll(async () => {
    world = await AttackedPlatform.start({ MAX_SUBSCRIPTIONS_PER_CONNECTION: '5' });
  });

  afterAll(() => world?.[Symbol.asyncDispose]());

  describeAttacks('the life of an id', ids, (steps, expected) =>
    converse(world.url, [INIT, ...steps], expected),
  );

  it('the gateway is as it was', async () => {
    expect(await world.harm()).toEqual([]);
  });
});
