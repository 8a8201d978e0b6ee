import { describe, expect, it } from 'vitest';
import { createMessage, createMessageParser, type MessageDefinition } from './catalogue.ts';
import * as contracts from './index.ts';
import { encodeEnvelope } from './envelope.ts';

const { OrderConfirmed, OrderPlaced, topics, topicSpecs } = contracts;

const definitions = Object.values<unknown>(contracts).filter(isDefinition);

function isDefinition(value: unknown): value is MessageDefinition {
  return typeof value === 'object' && value !== null && 'schema' in value && 'topic' in value;
}

const attributes = { id: 'orders/42@1', key: '42', sequence: 1, timeMs: Date.UTC(2026, 10, 23) };
const confirmed = createMessage(OrderConfirmed, { ...attributes, data: { orderId: '42' } });

describe('the catalogue', () => {
  it('has each type once, named after its owner', () => {
    const types = definitions.map(({ type }) => type);
    expect(types.length).toBeGreaterThan(15);
    expect(new Set(types).size).toBe(types.length);
    for (const { type, name } of definitions)
      expect(type).toMatch(new RegExp(`^tidegate\\.[a-z-]+\\.${name}$`));
  });

  it('has a topic for each type, with one key per topic', () => {
    const keys = new Map<string, Set<string>>();
    for (const { topic, key } of definitions) {
      expect(Object.values(topics)).toContain(topic);
      keys.set(topic.name, (keys.get(topic.name) ?? new Set()).add(key));
    }
    for (const [name, used] of keys) expect([...used], name).toHaveLength(1);
  });

  it('keeps compacted topics uncompacted for as long as a client may be away', () => {
    const specs = topicSpecs([topics.orderDocuments, topics.orderEvents], 3);
    expect(specs[0]).toMatchObject({
      partitions: 3,
      cleanup: 'compact',
      retentionMs: contracts.RESUME_WINDOW_MS,
    });
    expect(specs[1]).toMatchObject({ partitions: 3, cleanup: 'delete' });
  });
});

describe('createMessage', () => {
  it('fills in what the definition knows', () => {
    expect(confirmed).toMatchObject({
      type: 'tidegate.orders.OrderConfirmed',
      source: '/tidegate/orders',
      subject: '42',
      dataversion: 1,
      time: '2026-11-23T00:00:00.000Z',
    });
  });

  it('emits nothing malformed', () => {
    expect(() => createMessage(OrderConfirmed, { ...attributes, data: { orderId: 'not an id!' } })).toThrow(
      'orderId',
    );
  });
});

describe('a message parser', () => {
  const parse = createMessageParser([OrderConfirmed]);

  it('gives a known message its name, so that a switch knows its data', () => {
    expect(parse(encodeEnvelope(confirmed))).toEqual({ ...confirmed, name: 'OrderConfirmed' });
  });

  it("passes over somebody else's message on a shared topic", () => {
    expect(createMessageParser([OrderPlaced])(encodeEnvelope(confirmed))).toBeUndefined();
  });

  it.each([
    [
      'a foreign type',
      { ...confirmed, type: 'com.example.Thing' },
      'nobody here knows the type "com.example.Thing"',
    ],
    ['a version it does not read', { ...confirmed, dataversion: 2 }, 'has version 2; this consumer reads 1'],
    ['data that breaks the schema', { ...confirmed, data: { orderId: 42 } }, 'orderId'],
  ])('refuses %s, with the reason', (_what, envelope, reason) => {
    expect(() => parse(encodeEnvelope(envelope))).toThrow(
      expect.objectContaining({ code: 'RECORD_MALFORMED', message: expect.stringContaining(reason) }),
    );
  });
});
