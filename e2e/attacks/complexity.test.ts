/** Promise: an operation beyond a limit is refused over every transport before anything of it is executed. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AttackedPlatform, describeAttacks, type Outcome, type Row } from './attacked-platform.ts';
import { converse, INIT } from './websocket-frames.ts';

interface Operation {
  readonly query: string;
  readonly variables?: Readonly<Record<string, unknown>>;
}

const repeat = (count: number, text: (at: number) => string): string =>
  Array.from({ length: count }, (_, at) => text(at)).join(' ');
const nest = (depth: number, open: string, inner: string, close: string): string =>
  `${open.repeat(depth)}${inner}${close.repeat(depth)}`;
const deepList = (depth: number): unknown => JSON.parse(nest(depth, '[', '1', ']'));

const CATEGORY = 'query ($of: String) { products(category: $of) { totalCount } }';
const TYPE = '{ __schema { types { fields { type ';

const operations: readonly (readonly [rule: string, operation: Operation])[] = [
  ['101 aliases', { query: `{ ${repeat(101, (at) => `a${at}: __typename`)} }` }],
  ['650 aliases', { query: `{ ${repeat(650, (at) => `a${at}:__typename`)} }` }],
  ['101 aliases below the root', { query: `{ me { ${repeat(101, (at) => `a${at}: id`)} } }` }],
  [
    '101 aliases in a fragment',
    { query: `{ ...f } fragment f on Query { ${repeat(101, (at) => `a${at}: __typename`)} }` },
  ],
  ['51 root fields', { query: `{ ${repeat(51, () => '__typename')} }` }],
  ['51 root fields in inline fragments', { query: `{ ${repeat(51, () => '... { __typename }')} }` }],
  [
    '64 root fields by fragments that double',
    { query: `{ ${repeat(8, () => '...a')} } fragment a on Query { ${repeat(8, () => '__typename')} }` },
  ],
  ['51 directives', { query: `{ __typename ${repeat(51, () => '@skip(if: false)')} }` }],
  ['51 directives on many fields', { query: `{ me { ${repeat(51, () => 'id @include(if: true)')} } }` }],
  ['51 directives that do not exist', { query: `{ __typename ${repeat(51, () => '@a')} }` }],
  [
    '101 fragments',
    { query: `{ __typename } ${repeat(101, (at) => `fragment f${at} on Query { __typename }`)}` },
  ],
  ['a depth of 21', { query: `${TYPE}${nest(17, '{ ofType ', '{ name }', ' }')} } } } }` }],
  ['a depth of 200', { query: nest(200, '{ me ', '{ id }', ' }') }],
  ['a depth of 600', { query: nest(600, '{me', '{id}', '}') }],
  [
    'a depth through fragments',
    {
      query: `{ ...f0 } ${repeat(21, (at) => `fragment f${at} on Query { me { ...f${at + 1} } }`)} fragment f21 on Query { me { id } }`,
    },
  ],
  ['2,001 tokens', { query: `{ me { ${'id '.repeat(2_001)} } }` }],
  ['20,000 tokens', { query: `{ me { ${'id '.repeat(20_000)} } }` }],
  ['a document of 70 KB', { query: `{ me { id } } #${'x'.repeat(70_000)}` }],
  [
    'a page of pages',
    {
      query: `{ ${repeat(20, (at) => `a${at}: products(first: 100) { edges { node { id stock { available } } } }`)} }`,
    },
  ],
  [
    'a page of pages by variables',
    {
      query: `query ($n: Int!) { ${repeat(20, (at) => `a${at}: products(first: $n) { edges { node { id stock { available } } } }`)} }`,
      variables: { n: 100 },
    },
  ],
  ['a variable of 140 KB', { query: CATEGORY, variables: { of: 'x'.repeat(140_000) } }],
  ['a list of 1,001 values', { query: CATEGORY, variables: { of: Array.from({ length: 1_001 }, () => 1) } }],
  ['variables that are 17 deep', { query: CATEGORY, variables: { of: deepList(17) } }],
  ['variables that are 900 deep', { query: CATEGORY, variables: { of: deepList(900) } }],
  ['variables that no operation has', { query: '{ me { id } }', variables: { other: deepList(900) } }],
  [
    'an argument that is 17 deep',
    { query: `{ products(category: ${nest(17, '[', '"a"', ']')}) { totalCount } }` },
  ],
  [
    'an argument that is 500 deep',
    { query: `{ products(category: ${nest(500, '[', '"a"', ']')}) { totalCount } }` },
  ],
];

const rowsOf = (outcome: Outcome): readonly Row<Operation>[] =>
  operations.map(([rule, operation]) => [rule, operation, outcome] as const);

describe('beyond a limit of operations', () => {
  let world: AttackedPlatform;

  beforeAll(async () => {
    world = await AttackedPlatform.start();
  });

  afterAll(() => world?.[Symbol.asyncDispose]());

  describeAttacks('over HTTP', rowsOf('400 OPERATION_TOO_COMPLEX'), (body) => world.send({ body }));

  describeAttacks('on an event stream', rowsOf('200 OPERATION_TOO_COMPLEX'), (body) =>
    world.send({ body, headers: { accept: 'text/event-stream' } }),
  );

  describeAttacks('over WebSocket', rowsOf('1:error=OPERATION_TOO_COMPLEX'), (payload, expected) =>
    converse(world.url, [INIT, { type: 'subscribe', id: '1', payload }], expected),
  );

  it('the gateway is as it was', async () => {
    expect(await world.harm()).toEqual([]);
  });
});
