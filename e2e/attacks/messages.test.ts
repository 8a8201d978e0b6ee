/** Promise: a message or frame outside the protocol has its close code, and one inside the protocol its answer. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AttackedPlatform, describeAttacks, type Row } from './attacked-platform.ts';
import { converse, frame, INIT, opcodes, sendFrames, type FrameForm, type Step } from './websocket-frames.ts';

const PING = { type: 'ping' };
const STOCK = 'subscription { stock(productId: "novel") { productId } }';

const subscribe = (id: unknown, query: unknown = STOCK) => ({ type: 'subscribe', id, payload: { query } });

const messages: readonly Row<readonly Step[]>[] = [
  ['an empty text', [''], '4400 Invalid message received'],
  ['a text that is no JSON', ['{"type":'], '4400 Invalid message received'],
  ['a number', ['1'], '4400 Invalid message received'],
  ['a null', ['null'], '4400 Invalid message received'],
  ['a list', ['[]'], '4400 Invalid message received'],
  ['an object without a type', [{}], '4400 Invalid message received'],
  ['a type that is a number', [{ type: 1 }], '4400 Invalid message received'],
  ['a type that is unknown', [{ type: 'shout' }], '4400 Invalid message received'],
  ['a type of `__proto__`', [{ type: '__proto__' }], '4400 Invalid message received'],
  [
    'a type of the older protocol',
    [{ type: 'start', id: '1', payload: { query: STOCK } }],
    '4400 Invalid message received',
  ],
  [
    'a `connection_ack` of a client',
    [{ type: 'connection_ack' }],
    '4400 Only a server sends "connection_ack"',
  ],
  [
    'a `next` of a client',
    [{ type: 'next', id: '1', payload: { data: {} } }],
    '4400 Only a server sends "next"',
  ],
  [
    'an `error` of a client',
    [{ type: 'error', id: '1', payload: [{ message: 'x' }] }],
    '4400 Only a server sends "error"',
  ],
  ['a second `connection_init`', [{ ...INIT }], '4429 Too many initialisation requests'],
  [
    'a `subscribe` without an id',
    [{ type: 'subscribe', payload: { query: STOCK } }],
    '4400 Invalid message received',
  ],
  ['a `subscribe` with an empty id', [subscribe('')], '4400 Invalid message received'],
  ['a `subscribe` with an id that is a number', [subscribe(1)], '4400 Invalid message received'],
  ['a `subscribe` without a payload', [{ type: 'subscribe', id: '1' }], '4400 Invalid message received'],
  ['a `subscribe` with a query that is a number', [subscribe('1', 1)], '4400 Invalid message received'],
  [
    'a `subscribe` with variables that are a text',
    [{ type: 'subscribe', id: '1', payload: { query: STOCK, variables: 'x' } }],
    '4400 Invalid message received',
  ],
  [
    'a `subscribe` with an operation name that is a number',
    [{ type: 'subscribe', id: '1', payload: { query: STOCK, operationName: 1 } }],
    '4400 Invalid message received',
  ],
  ['a `complete` without an id', [{ type: 'complete' }], '4400 Invalid message received'],
  [
    'a `ping` with a payload that is a text',
    [{ type: 'ping', payload: 'x' }],
    '4400 Invalid message received',
  ],
  ['a binary message', [Buffer.from(JSON.stringify(PING))], '4400 Send text frames'],
  ['a `ping` with a payload has it back', [{ type: 'ping', payload: { a: 1 } }], 'pong'],
  ['a `pong` that nobody asked for is ignored', [{ type: 'pong' }, PING], 'pong'],
  [
    'a renewal by a bad token',
    [{ type: 'ping', payload: { tidegate: { authorization: 'Bearer x.y.z' } } }],
    '4401 UNAUTHENTICATED',
  ],
  [
    'a renewal by a number',
    [{ type: 'ping', payload: { tidegate: { authorization: 1 } } }],
    '4401 UNAUTHENTICATED',
  ],
];

const beginnings: readonly Row<readonly Step[]>[] = [
  ['a `subscribe` before `connection_init`', [subscribe('1')], '4401 Unauthorized'],
  ['a `ping` before `connection_init` is answered', [PING], 'pong'],
  ['a token that is null', [{ ...INIT, payload: { authorization: null } }], '4401 UNAUTHENTICATED'],
  ['a token that is a number', [{ ...INIT, payload: { authorization: 1 } }], '4401 UNAUTHENTICATED'],
  ['a token that is a list', [{ ...INIT, payload: { authorization: ['Bearer x'] } }], '4401 UNAUTHENTICATED'],
  ['a token without a scheme', [{ ...INIT, payload: { Authorization: 'x.y.z' } }], '4401 UNAUTHENTICATED'],
  [
    'a bad token among headers',
    [{ ...INIT, payload: { headers: { Authorization: 'Bearer x.y.z' } } }],
    '4401 UNAUTHENTICATED',
  ],
  [
    'headers that are a text',
    [{ ...INIT, payload: { headers: 'authorization: Bearer x' } }],
    '4401 UNAUTHENTICATED',
  ],
  [
    'two tokens that differ',
    [{ ...INIT, payload: { authorization: 'Bearer a', Authorization: 'Bearer b' } }],
    '4401 UNAUTHENTICATED',
  ],
];

const text = (value: object, form?: FrameForm) => frame(JSON.stringify(value), form);
const closeFrame = (code: number) => frame(Buffer.from([code >> 8, code & 0xff]), { opcode: opcodes.close });
const long = JSON.stringify({ ...PING, payload: { a: 'x'.repeat(20_000) } });

const frames: readonly Row<readonly Buffer[]>[] = [
  ['a frame without a mask', [text(PING, { masked: false })], '1002'],
  ['a frame with a reserved bit', [text(PING, { reserved: 4 })], '1002'],
  ['a frame of a reserved opcode', [text(PING, { opcode: 3 })], '1002'],
  ['a frame of a reserved control opcode', [text(PING, { opcode: 0xb })], '1002'],
  ['a continuation of nothing', [text(PING, { opcode: opcodes.continuation })], '1002'],
  ['a text inside another text', [frame('{"type":', { fin: false }), text(PING)], '1002'],
  ['a ping in two pieces', [frame('x', { opcode: opcodes.ping, fin: false })], '1002'],
  ['a ping of 126 bytes', [frame('x'.repeat(126), { opcode: opcodes.ping })], '1002'],
  ['a ping of 125 bytes is answered', [frame('x'.repeat(125), { opcode: opcodes.ping })], 'pong'],
  ['a text that is not UTF-8', [frame(Buffer.from([0x22, 0xff, 0xfe, 0x22]))], '1007'],
  ['a text that ends within a character', [frame(Buffer.from([0xe2, 0x82]))], '1007'],
  ['a text beyond the size limit', [frame(long)], '1009'],
  ['a text that claims 100 MB', [frame('x', { claimed: 100_000_000 })], '1009'],
  [
    'pieces that exceed the size limit together',
    [
      frame(long.slice(0, 12_000), { fin: false }),
      frame(long.slice(12_000), { opcode: opcodes.continuation }),
    ],
    '1009',
  ],
  [
    'a message in three pieces is one',
    [
      frame('{"ty', { fin: false }),
      frame('pe":"pi', { opcode: opcodes.continuation, fin: false }),
      frame('ng"}', { opcode: opcodes.continuation }),
    ],
    'pong',
  ],
  ['a close frame of one byte', [frame('x', { opcode: opcodes.close })], '1002'],
  ['a close frame with a code that may not be sent', [closeFrame(1005)], '1002'],
  ['a close frame with a code below 1000', [closeFrame(999)], '1002'],
  ['a close frame with a code of the client is answered', [closeFrame(4999)], '4999'],
  ['a close frame with an ordinary code is answered', [closeFrame(1000)], '1000'],
];

describe('over WebSocket,', () => {
  let world: AttackedPlatform;

  beforeAll(async () => {
    world = await AttackedPlatform.start({ MAX_MESSAGE_BYTES: '16384' });
  });

  afterAll(() => world?.[Symbol.asyncDispose]());

  describeAttacks('a message', messages, (steps, expected) =>
    converse(world.url, [INIT, ...steps], expected),
  );
  describeAttacks('the first message', beginnings, (steps, expected) => converse(world.url, steps, expected));
  describeAttacks('a frame', frames, (each) => sendFrames(world.port, each));

  it('the gateway is as it was', async () => {
    expect(await world.harm()).toEqual([]);
  });
});
