import { RESUME_WINDOW_MS, topicSpecs, type MessageDefinition } from '@tidegate/core';
import { describe, expect, it } from 'vitest';
import * as contracts from './index.ts';

const { catalogue, topics } = contracts;

const definitions = Object.values<unknown>(contracts).filter(isDefinition);

function isDefinition(value: unknown): value is MessageDefinition {
  return typeof value === 'object' && value !== null && 'schema' in value && 'topic' in value;
}

describe('the catalogue', () => {
  it('lists every message that the package exports', () => {
    expect(new Set(catalogue)).toEqual(new Set(definitions));
  });

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

  it('keeps document topics uncompacted for the resume window', () => {
    const specs = topicSpecs([topics.orderDocuments, topics.orderEvents], 3);
    expect(specs[0]).toMatchObject({ partitions: 3, cleanup: 'compact', retentionMs: RESUME_WINDOW_MS });
    expect(specs[1]).toMatchObject({ partitions: 3, cleanup: 'delete' });
  });
});
