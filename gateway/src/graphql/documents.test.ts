import { createHash } from 'node:crypto';
import { toTidegateError } from '@tidegate/core';
import { buildSchema } from 'graphql';
import { describe, expect, it } from 'vitest';
import { Documents, type DocumentsOptions } from './documents.ts';
import { defaultOperationLimits, type OperationLimits } from './operation-limits.ts';
import type { OperationParams } from './operation-params.ts';

const schema = buildSchema(`
  type Query { counter: Counter, counters(first: Int = 20, after: String): Page!, take(values: [Any!]): Int }
  type Page { nodes: [Counter!]!, total: Int! }
  type Counter { id: ID!, count: Int!, next: Counter, parts: [Counter!]! }
  type Subscription { counter: Counter }
  scalar Any
`);

function documents(
  limits: Partial<OperationLimits> = {},
  options: Partial<Pick<DocumentsOptions, 'bff' | 'trustedOnly'>> = {},
): Documents {
  return new Documents({
    schema,
    bff: {},
    trustedOnly: false,
    ...options,
    limits: { ...defaultOperationLimits, ...limits },
  });
}

/** Code of the error and the limit that it names. */
function refusal(params: OperationParams, subject = documents()): unknown[] {
  try {
    subject.prepare(params);
  } catch (thrown) {
    if (thrown instanceof AggregateError) return ['GRAPHQL_VALIDATION_FAILED'];
    const { code, details } = toTidegateError(thrown);
    return details['limit'] === undefined ? [code] : [code, details['limit']];
  }
  return [];
}

const times = (count: number, part: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => part(index)).join(' ');
const deepList = (depth: number): unknown => (depth === 0 ? 1 : [deepList(depth - 1)]);

describe('an operation is OPERATION_TOO_COMPLEX before anything is executed', () => {
  it.each<[string, OperationParams, keyof OperationLimits]>([
    [
      'a document with too many bytes',
      { query: `{ counter { id } } #${'x'.repeat(70_000)}` },
      'maxDocumentBytes',
    ],
    ['too many tokens', { query: `{ ${'counter { id } '.repeat(600)} }` }, 'maxDocumentTokens'],
    [
      'too many fields inside each other',
      { query: `{ counter ${'{ next '.repeat(25)} { id } ${'}'.repeat(25)} }` },
      'maxDocumentDepth',
    ],
    [
      'too deep through fragments',
      {
        query: `{ counter { ...f0 } } ${times(25, (at) => `fragment f${at} on Counter { next { ${at < 24 ? `...f${at + 1}` : 'id'} } }`)}`,
      },
      'maxDocumentDepth',
    ],
    ['too many aliases', { query: `{ counter { ${times(101, (at) => `a${at}: id`)} } }` }, 'maxAliases'],
    [
      'too many directives',
      { query: `{ counter { id ${'@include(if: true) '.repeat(51)} } }` },
      'maxDirectives',
    ],
    [
      'too many fields of one name',
      { query: `{ counter { ${'next { id } '.repeat(102)} } }` },
      'maxRepeatedFields',
    ],
    [
      'too many fields of one name in inline fragments',
      { query: `{ counter { ${'... { next { id } } '.repeat(102)} } }` },
      'maxRepeatedFields',
    ],
    [
      'too many fragments',
      { query: `{ counter { id } } ${times(101, (at) => `fragment f${at} on Counter { id }`)}` },
      'maxFragments',
    ],
    ['too many root fields', { query: `{ ${times(51, () => 'counter { id }')} }` }, 'maxRootFields'],
    [
      'too many root fields through a fragment',
      {
        query: `{ ...f ${times(30, () => 'counter { id }')} } fragment f on Query { ${times(30, () => 'counter { id }')} }`,
      },
      'maxRootFields',
    ],
    [
      'a literal nested too deep',
      { query: `{ take(values: ${'['.repeat(20)}1${']'.repeat(20)}) }` },
      'maxVariableDepth',
    ],
    [
      'variables nested too deep',
      { query: '{ counter { id } }', variables: { any: deepList(17) } },
      'maxVariableDepth',
    ],
    [
      'variables nested deeper than the stack',
      {
        query: '{ counter { id } }',
        variables: { any: JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`) },
      },
      'maxVariableDepth',
    ],
    [
      'a list that is too long',
      { query: '{ counter { id } }', variables: { any: Array.from({ length: 1_001 }, () => 1) } },
      'maxListLength',
    ],
    [
      'variables with too many bytes',
      { query: '{ counter { id } }', variables: { any: 'é'.repeat(70_000) } },
      'maxVariableBytes',
    ],
    ['a page that costs too much', { query: '{ counters(first: 2000) { total } }' }, 'maxOperationCost'],
    [
      'a page of a variable',
      { query: 'query ($n: Int) { counters(first: $n) { total } }', variables: { n: 2_000 } },
      'maxOperationCost',
    ],
    [
      'a page of a variable default',
      { query: 'query ($n: Int = 2000) { counters(first: $n) { total } }' },
      'maxOperationCost',
    ],
    [
      'lists in lists',
      { query: '{ counter { parts { parts { parts { parts { parts { id } } } } } } }' },
      'maxOperationCost',
    ],
    [
      'fragments that multiply',
      {
        query: `{ counter { ...f0 } } ${times(15, (at) => `fragment f${at} on Counter { ${at < 14 ? `a${at}: next { ...f${at + 1} } b${at}: next { ...f${at + 1} } c${at}: next { ...f${at + 1} }` : 'id'} }`)}`,
      },
      'maxOperationCost',
    ],
  ])('for %s', (_title, params, limit) => {
    expect(refusal(params)).toEqual(['OPERATION_TOO_COMPLEX', limit]);
  });

  it('but a fragment that spreads itself is not valid', () => {
    expect(refusal({ query: '{ counter { ...f } } fragment f on Counter { next { ...f } }' })).toEqual([
      'GRAPHQL_VALIDATION_FAILED',
    ]);
  });
});

describe('the cost of an operation', () => {
  const costOf = (query: string, variables = {}, subject = documents()): number =>
    subject.prepare({ query, variables }).cost;

  it('is at least that of one call', () => expect(costOf('{ __typename }')).toBe(1));

  it('multiplies a selection by the length of the page that it is part of', () => {
    expect(costOf('{ counters(first: 100) { nodes { id count } total } }')).toBe(111);
    expect(costOf('{ counters(first: 10) { nodes { id count } total } }')).toBe(12);
  });

  it('takes the default of the argument when none is given', () => {
    expect(costOf('{ counters { total } }')).toBe(21);
  });

  it('is calculated for the variables of each request', () => {
    const subject = documents();
    const query = 'query ($n: Int) { counters(first: $n) { total } }';
    expect([10, 50, 10].map((n) => costOf(query, { n }, subject))).toEqual([11, 51, 11]);
  });

  it('follows the weights and lengths that the BFF declares', () => {
    const cost = { fields: { 'Query.counter': { weight: 100 }, 'Counter.parts': { listSize: 1_000 } } };
    expect(costOf('{ counter { id } }', {}, documents({}, { bff: { cost } }))).toBe(100);
    expect(costOf('{ counter { parts { id } } }', {}, documents({}, { bff: { cost } }))).toBe(150);
  });

  it('is bounded by the BFF before the gateway', () => {
    const subject = documents({}, { bff: { cost: { maxCost: 5 } } });
    expect(refusal({ query: '{ counters(first: 5) { total } }' }, subject)).toEqual([
      'OPERATION_TOO_COMPLEX',
      'maxOperationCost',
    ]);
  });
});

describe('the parameters of an operation', () => {
  it.each<[string, object]>([
    ['query', { query: 1 }],
    ['documentId', { documentId: {} }],
    ['operationName', { query: '{ __typename }', operationName: 7 }],
    ['variables', { query: '{ __typename }', variables: 'x' }],
    ['variables that are a list', { query: '{ __typename }', variables: [] }],
    ['extensions', { query: '{ __typename }', extensions: [] }],
    ['the hash', { query: '{ __typename }', extensions: { persistedQuery: { sha256Hash: 1 } } }],
    ['no document', {}],
    ['an empty document', { query: ' ' }],
  ])('are BAD_REQUEST with a wrong %s', (_title, params) => {
    expect(refusal(params as OperationParams)).toEqual(['BAD_REQUEST']);
  });

  it('have an empty operation name that counts as absent', () => {
    expect(documents().prepare({ query: '{ __typename }', operationName: '' }).operationName).toBeUndefined();
  });

  it('are BAD_REQUEST when the operation is not told among several', () => {
    const query = 'query a { __typename } query b { __typename }';
    expect(refusal({ query })).toEqual(['BAD_REQUEST']);
    expect(refusal({ query, operationName: 'c' })).toEqual(['BAD_REQUEST']);
    expect(refusal({ query, operationName: 'b' })).toEqual([]);
  });
});

describe('a persisted query', () => {
  const query = '{ counter { id } }';
  const sha256Hash = createHash('sha256').update(query).digest('hex');
  const extensions = { persistedQuery: { version: 1, sha256Hash } };

  it('is found by its hash once it came with both', () => {
    const subject = documents();
    expect(refusal({ extensions }, subject)).toEqual(['PERSISTED_QUERY_NOT_FOUND']);
    expect(refusal({ query, extensions }, subject)).toEqual([]);
    expect(refusal({ extensions }, subject)).toEqual([]);
  });

  it('is BAD_REQUEST when the hash is that of another document, and is not stored', () => {
    const subject = documents();
    expect(refusal({ query: '{ __typename }', extensions }, subject)).toEqual(['BAD_REQUEST']);
    expect(refusal({ extensions }, subject)).toEqual(['PERSISTED_QUERY_NOT_FOUND']);
  });

  it('is not stored where only trusted documents are executed', () => {
    const trusted = { trustedDocuments: new Map([[sha256Hash, query]]) };
    const subject = documents({}, { trustedOnly: true, bff: trusted });
    expect(refusal({ extensions }, subject)).toEqual([]);
    expect(refusal({ documentId: `sha256:${sha256Hash}` }, subject)).toEqual([]);
    const unknown = { persistedQuery: { version: 1, sha256Hash: 'a'.repeat(64) } };
    expect(refusal({ extensions: unknown }, subject)).toEqual(['PERSISTED_QUERY_NOT_SUPPORTED']);
    expect(refusal({ query }, subject)).toEqual(['DOCUMENT_NOT_TRUSTED']);
  });
});

describe('documents are cached', () => {
  it('so that the same text is parsed once', () => {
    const subject = documents();
    const [one, two] = [1, 2].map(() => subject.prepare({ query: '{ counter { id } }' }).document);
    expect(one).toBe(two);
  });

  it('up to a number of bytes, comments included', () => {
    const subject = documents({ documentCacheBytes: 1_000_000 });
    const first = subject.prepare({ query: '{ counter { id } }' }).document;
    const comments = '#\n'.repeat(200);
    for (let at = 0; at < 20; at++) subject.prepare({ query: `{ counter { a${at}: id } } ${comments}` });
    expect(subject.prepare({ query: '{ counter { id } }' }).document).not.toBe(first);
  });
});
