import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  defineLiveField,
  defineLiveStream,
  type Bff,
  type LiveField,
  type LiveScope,
  type OverflowPolicy,
} from '@tidegate/bff';
import { publicScope } from '@order-platform/bff-shared';
import { createMessage, defineMessage, encodeEnvelope, type MessageDefinition } from '@tidegate/core';
import type { OutgoingRecord } from '@tidegate/event-log';
import { z } from 'zod';

const itemSchema = z.object({
  key: z.string().min(1),
  version: z.int().min(1),
  owner: z.string(),
  /** Key and version: reveals a message with the content of another version. */
  text: z.string(),
  pad: z.string(),
});
export type Item = z.infer<typeof itemSchema>;

export const KEYS = ['a', 'b', 'c', 'd', 'e'] as const;
export const OWNERS = ['ann', 'bob'] as const;
export const BFF_PATH = '/graphql/items';
/** Fewer than keys, so that keys share partitions and the cursors of several keys hold several positions. */
export const PARTITIONS = 3;

const HOUR_MS = 60 * 60 * 1000;

export function ownerOf(key: string): string {
  return OWNERS[key.charCodeAt(0) % OWNERS.length]!;
}

export function itemOf(key: string, version: number, padBytes = 0): Item {
  return { key, version, owner: ownerOf(key), text: `${key}@${version}`, pad: 'x'.repeat(padBytes) };
}

export function itemId(key: string, version: number): string {
  return `items/${key}@${version}`;
}

/** Defines the message type of item documents on this topic. */
export function defineItemChanged(topicName: string) {
  return defineMessage('ItemChanged', {
    owner: 'exactness',
    version: 1,
    topic: {
      name: topicName,
      cleanup: 'compact',
      retentionMs: 24 * HOUR_MS,
      description: 'items that clients subscribe to',
    },
    key: 'item key',
    schema: itemSchema,
  });
}

/** Encodes an item as a record of its document topic. */
export function itemRecord(definition: ReturnType<typeof defineItemChanged>, data: Item): OutgoingRecord {
  const { key, version } = data;
  const message = { id: itemId(key, version), key, sequence: version, timeMs: Date.now(), data };
  return encodeEnvelope(createMessage(definition, message));
}

/** Kinds of live fields. Each exists under every overflow policy that it supports. */
export type ItemField = 'item' | 'itemChanges' | 'items' | 'owned';

const suffixes = { close: '', 'latest-per-key': 'Latest', snapshot: 'Fresh' } as const;

/** Name of the field on `Subscription` for a kind and a policy. */
export function fieldName(field: ItemField, overflow: OverflowPolicy): string {
  return `${field}${suffixes[overflow]}`;
}

const typeDefs = `
  type Item { key: ID! version: Int! text: String! pad: String! slow: String! }
  type Query { ready: Boolean! }
  type Subscription {
    item(key: ID!): Item!
    itemLatest(key: ID!): Item!
    itemFresh(key: ID!): Item!
    itemChanges(key: ID!): Item!
    itemChangesLatest(key: ID!): Item!
    items: Item!
    itemsLatest: Item!
    owned(owner: ID!): Item!
    ownedLatest(owner: ID!): Item!
  }`;

/** Creates a BFF of items: live fields of one key with and without a snapshot, of all items, and of an owner's items. */
export function createItemBff(
  definition: MessageDefinition,
  readItem: (key: string) => Promise<Item | undefined>,
): Bff {
  const stream = defineLiveStream<Item>({
    name: 'items',
    definition,
    terms: ({ key, owner }) => ['all', `key:${key}`, `owner:${owner}`],
  });
  const everybody = { stream, authorise: (): LiveScope<Item> => publicScope };
  const ofOneKey = {
    ...everybody,
    term: ({ key }: { key: string }) => `key:${key}`,
    key: ({ key }: { key: string }) => key,
  };
  const snapshot = async ({ key }: { key: string }) => {
    const data = await readItem(key);
    return data && { key, version: data.version, data };
  };
  const liveFields: Record<string, LiveField> = {};
  for (const overflow of ['close', 'latest-per-key', 'snapshot'] as const) {
    const field = { ...ofOneKey, snapshot, overflow };
    liveFields[fieldName('item', overflow)] = defineLiveField<{ key: string }, Item, unknown>(field);
  }
  for (const overflow of ['close', 'latest-per-key'] as const) {
    const changes = { ...ofOneKey, overflow };
    liveFields[fieldName('itemChanges', overflow)] = defineLiveField<{ key: string }, Item, unknown>(changes);
    const all = { ...everybody, term: () => 'all', overflow };
    liveFields[fieldName('items', overflow)] = defineLiveField<Record<string, never>, Item, unknown>(all);
    const owned = { ...everybody, term: ({ owner }: { owner: string }) => `owner:${owner}`, overflow };
    liveFields[fieldName('owned', overflow)] = defineLiveField<{ owner: string }, Item, unknown>(owned);
  }
  return {
    name: 'items',
    typeDefs,
    resolvers: {
      Query: { ready: () => true },
      Item: {
        // Makes the execution asynchronous, so that later changes arrive during the rendering.
        slow: async ({ text }: Item) => {
          await nextTurn();
          return text;
        },
      },
    },
    liveFields,
  };
}
