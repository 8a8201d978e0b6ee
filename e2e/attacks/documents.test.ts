/** Promise: a document meets the same rules whatever way it comes, and each form of a request has its answer. */
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AttackedPlatform, describeAttacks, type HttpAttack, type Row } from './attacked-platform.ts';

const ME = '{ me { id } }';
const STOCK = 'subscription { stock(productId: "novel") { productId } }';
const CANCEL = 'mutation { cancelOrder(input: { orderId: "a" }) { __typename } }';
const PRODUCT = 'query ($id: ID!) { product(id: $id) { id } }';

const ok = '200';
const bad = '400 BAD_REQUEST';
const unparsed = '400 GRAPHQL_PARSE_FAILED';
const invalid = '400 GRAPHQL_VALIDATION_FAILED';
const unsupported = '415 UNSUPPORTED_MEDIA_TYPE';
const notAcceptable = '406 NOT_ACCEPTABLE';

const json = (body: string | object): HttpAttack => ({ method: 'POST', body });
const typed = (type: string, body: string | Buffer = JSON.stringify({ query: ME })): HttpAttack => ({
  body,
  headers: { 'content-type': type },
});
const coded = (coding: string, body: Buffer): HttpAttack => ({
  body,
  headers: { 'content-encoding': coding },
});
const asked = (accept: string, query = ME): HttpAttack => ({ body: { query }, headers: { accept } });
const got = (parameters: Readonly<Record<string, string>>, accept?: string): HttpAttack => ({
  path: `/graphql/web?${new URLSearchParams(parameters).toString()}`,
  ...(accept !== undefined && { headers: { accept } }),
});

const bodies: readonly Row<HttpAttack>[] = [
  ['an empty body', json(''), bad],
  ['a body that is no JSON', json('{"query": '), bad],
  ['a body of a number', json('1'), bad],
  ['a body of null', json('null'), bad],
  ['a body of a text', json('"{ me { id } }"'), bad],
  ['a body of a list', json(JSON.stringify([{ query: ME }])), bad],
  ['an empty object', json({}), bad],
  ['a query that is null', json({ query: null }), bad],
  ['a query that is a number', json({ query: 1 }), bad],
  ['a query that is a list', json({ query: [ME] }), bad],
  ['variables that are a text', json({ query: ME, variables: '{}' }), bad],
  ['variables that are a list', json({ query: ME, variables: [] }), bad],
  ['variables that are null are absent', json({ query: ME, variables: null }), ok],
  ['extensions that are a list', json({ query: ME, extensions: [] }), bad],
  ['an operation name that is a number', json({ query: ME, operationName: 1 }), bad],
  ['an operation name that is empty is absent', json({ query: ME, operationName: '' }), ok],
  ['an operation name of nothing', json({ query: ME, operationName: 'Other' }), bad],
  ['two operations without a name', json({ query: 'query A { me { id } } query B { me { id } }' }), bad],
  ['an unknown member is ignored', json({ query: ME, __proto: 1 }), ok],
  ['an empty document', json({ query: '' }), bad],
  ['a document of spaces', json({ query: '  \n' }), bad],
  ['a document of a comment', json({ query: '# nothing' }), unparsed],
  ['a document with an open brace', json({ query: '{ me {' }), unparsed],
  ['a document with a NUL', json({ query: '{ me\0 { id } }' }), unparsed],
  ['a document with an open text', json({ query: '{ product(id: "a) { id } }' }), unparsed],
  ['an unknown field', json({ query: '{ nonsense }' }), invalid],
  ['an unknown argument', json({ query: '{ me(admin: true) { id } }' }), invalid],
  ['a missing argument', json({ query: '{ product { id } }' }), invalid],
  ['a fragment that spreads itself', json({ query: '{ ...a } fragment a on Query { ...a }' }), invalid],
  ['a type definition', json({ query: 'type Query { a: Int }' }), invalid],
  ['a variable that is missing', json({ query: PRODUCT }), '400 BAD_USER_INPUT'],
  ['a variable that is null', json({ query: PRODUCT, variables: { id: null } }), '400 BAD_USER_INPUT'],
  ['a variable of another type', json({ query: PRODUCT, variables: { id: {} } }), '400 BAD_USER_INPUT'],
  [
    'a body over the size limit',
    json({ query: ME, extensions: { a: 'x'.repeat(300_000) } }),
    '413 PAYLOAD_TOO_LARGE',
  ],
];

const types: readonly Row<HttpAttack>[] = [
  ['a type in another case is taken', typed('Application/JSON'), ok],
  ['a charset of utf-8 is taken', typed('application/json; charset=UTF-8'), ok],
  ['a charset in quotes is taken', typed('application/json;charset="utf-8"'), ok],
  ['another charset', typed('application/json; charset=utf-16'), unsupported],
  ['a charset of latin1', typed('application/json; charset=iso-8859-1'), unsupported],
  ['plain text', typed('text/plain'), unsupported],
  ['a type that only begins alike', typed('application/jsonp'), unsupported],
  ['a type that ends alike', typed('application/vnd.api+json'), unsupported],
  ['a list of types', typed('text/plain, application/json'), unsupported],
  ['a type without a slash', typed('json'), unsupported],
  ['a multipart form', typed('multipart/form-data; boundary=a', '--a--'), unsupported],
  ['a document alone is taken', typed('application/graphql', ME), ok],
  [
    'a form is taken',
    typed('application/x-www-form-urlencoded', new URLSearchParams({ query: ME }).toString()),
    ok,
  ],
  [
    'a form with variables that are no JSON',
    typed('application/x-www-form-urlencoded', 'query=%7Bme%7Bid%7D%7D&variables=%7B'),
    bad,
  ],
  ['a byte order mark is taken', json(`\uFEFF${JSON.stringify({ query: ME })}`), ok],
  ['a body that is not UTF-8', typed('application/json', Buffer.from([0x22, 0xff, 0x22])), bad],
  ['gzip is inflated', coded('gzip', gzipSync(JSON.stringify({ query: ME }))), ok],
  ['a gzip bomb', coded('gzip', gzipSync(Buffer.alloc(5_000_000, 0x20))), '413 PAYLOAD_TOO_LARGE'],
  ['gzip that is none', coded('gzip', Buffer.from('{}')), bad],
  ['gzip that is cut', coded('gzip', gzipSync(JSON.stringify({ query: ME })).subarray(0, 20)), bad],
  ['gzip twice', coded('gzip, gzip', gzipSync(gzipSync(JSON.stringify({ query: ME })))), unsupported],
  ['an unknown content coding', coded('zip', Buffer.from('{}')), unsupported],
  ['any type is accepted', asked('*/*'), ok],
  ['a type with a weight is accepted', asked('text/html;q=0.9, application/json;q=0.1'), ok],
  ['a type in another case is accepted', asked('APPLICATION/JSON'), ok],
  [
    'no type is acceptable',
    asked('application/json;q=0, application/graphql-response+json;q=0'),
    notAcceptable,
  ],
  ['a type that is not offered', asked('text/html'), notAcceptable],
  ['a subscription as JSON', asked('application/json', STOCK), notAcceptable],
  ['a subscription as anything', asked('*/*', STOCK), notAcceptable],
  [
    'a subscription as an event stream of weight zero',
    asked('application/json, text/event-stream;q=0', STOCK),
    notAcceptable,
  ],
  ['a mutation by GET', got({ query: CANCEL }), '405 METHOD_NOT_ALLOWED'],
  [
    'a mutation by GET on an event stream',
    got({ query: CANCEL }, 'text/event-stream'),
    '405 METHOD_NOT_ALLOWED',
  ],
  ['a subscription by GET', got({ query: STOCK }), notAcceptable],
  ['a GET without a query', got({}), bad],
  ['a GET with variables that are no JSON', got({ query: ME, variables: '{' }), bad],
  ['a GET with variables that are a list', got({ query: ME, variables: '[]' }), bad],
  ['a GET with empty variables', got({ query: ME, variables: '' }), ok],
  ['a PATCH', { method: 'PATCH', body: { query: ME } }, '405 METHOD_NOT_ALLOWED'],
  ['a DELETE without a stream', { method: 'DELETE' }, bad],
];

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const persisted = (sha256Hash: unknown, query?: string): HttpAttack =>
  json({ ...(query !== undefined && { query }), extensions: { persistedQuery: { version: 1, sha256Hash } } });
const mobile = (attack: HttpAttack): HttpAttack => ({ ...attack, path: '/graphql/mobile' });
const TYPENAME = '{ __typename }';

const names: readonly Row<HttpAttack>[] = [
  ['a hash of a document that nobody sent', persisted(sha256('{ nobody }')), '400 PERSISTED_QUERY_NOT_FOUND'],
  ['a hash with its document', persisted(sha256(TYPENAME), TYPENAME), ok],
  ['a hash in upper case with its document', persisted(sha256(TYPENAME).toUpperCase(), TYPENAME), ok],
  ['a hash of another document', persisted(sha256('{ other }'), TYPENAME), bad],
  ['a hash that is a number', persisted(1), bad],
  ['a hash that is empty', persisted(''), bad],
  ['a hash of `__proto__`', persisted('__proto__'), '400 PERSISTED_QUERY_NOT_FOUND'],
  ['a document that is not trusted', mobile(json({ query: TYPENAME })), '400 DOCUMENT_NOT_TRUSTED'],
  ['an id of no trusted document', mobile(json({ documentId: 'none' })), '400 DOCUMENT_NOT_TRUSTED'],
  ['an id of `__proto__`', mobile(json({ documentId: '__proto__' })), '400 DOCUMENT_NOT_TRUSTED'],
  ['an id of `constructor`', mobile(json({ documentId: 'constructor' })), '400 DOCUMENT_NOT_TRUSTED'],
  ['an id that is a number', mobile(json({ documentId: 1 })), bad],
  [
    'a hash where documents are trusted',
    mobile(persisted(sha256('{ nobody }'))),
    '400 PERSISTED_QUERY_NOT_SUPPORTED',
  ],
  [
    'a document beside its hash where documents are trusted',
    mobile(persisted(sha256(TYPENAME), TYPENAME)),
    '400 DOCUMENT_NOT_TRUSTED',
  ],
];

describe('a document', () => {
  let world: AttackedPlatform;

  beforeAll(async () => {
    world = await AttackedPlatform.start();
  });

  afterAll(() => world?.[Symbol.asyncDispose]());

  const send = (attack: HttpAttack) => world.send(attack);

  describeAttacks('has the form of its body', bodies, send);
  describeAttacks('has the types of its request', types, send);
  describeAttacks('is named by a hash or an id', names, send);

  it('leaves the gateway as it was', async () => {
    expect(await world.harm()).toEqual([]);
  });
});
