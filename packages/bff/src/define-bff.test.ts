import { CounterDocumentChanged, type CounterDocument } from '@tidegate/testing/sample-messages';
import { describe, expect, expectTypeOf, it } from 'vitest';
import type { Bff } from './bff.ts';
import { defineBff } from './define-bff.ts';
import { defineLiveField, defineLiveStream } from './live-field.ts';
import { anonymous } from './viewer.ts';

const stream = defineLiveStream<CounterDocument>({
  name: 'counters',
  definition: CounterDocumentChanged,
  terms: ({ counterId }) => [`id:${counterId}`],
});

const counter = defineLiveField<{ id: string }, CounterDocument, unknown>({
  stream,
  authorise: () => ({ id: 'public', viewer: anonymous, sees: () => true }),
  term: ({ id }) => `id:${id}`,
  overflow: 'latest-per-key',
});

const query = 'type Query { counter(id: ID!): Counter } type Counter { id: ID! }';
const define = (typeDefs: string) =>
  defineBff({ name: 'counters', typeDefs: `${query} ${typeDefs}`, resolvers: {}, liveFields: { counter } });

describe('defineBff', () => {
  it('returns the BFF with the inferred type of its loaders', () => {
    const bff = defineBff({
      name: 'counters',
      typeDefs: query,
      resolvers: {},
      createLoaders: () => ({ counters: 1 }),
      liveFields: {},
    });
    expectTypeOf(bff).toEqualTypeOf<Bff<{ counters: number }>>();
    expect(bff.name).toBe('counters');
  });

  it.each([
    ['no subscription type', ''],
    ['a live field for every field', 'type Subscription { counter(id: ID!): Counter! }'],
    [
      'another subscription type',
      'schema { query: Query subscription: Live } type Live { counter: Counter! }',
    ],
  ])('accepts a schema with %s', (_case, typeDefs) => {
    expect(define(typeDefs).name).toBe('counters');
  });

  it.each([
    ['in the subscription type', 'type Subscription { counter: Counter! alarms: Counter! }'],
    [
      'in its extension',
      'type Subscription { counter: Counter! } extend type Subscription { alarms: Counter! }',
    ],
    [
      'in a subscription type of another name',
      'schema { query: Query subscription: Live } type Live { alarms: Counter! }',
    ],
  ])('rejects a field without a live field, %s, and names it', (_case, typeDefs) => {
    expect(() => define(typeDefs)).toThrow('BFF counters has no live field for Subscription.alarms');
  });

  it('rejects a field with the name of an inherited property', () => {
    expect(() => define('type Subscription { toString: Counter! }')).toThrow('Subscription.toString');
  });

  it('rejects a schema that does not parse', () => {
    expect(() => define('type Subscription {')).toThrow('Syntax Error');
  });
});
