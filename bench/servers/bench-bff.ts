import {
  defineLiveField,
  defineLiveStream,
  requireRole,
  type Bff,
  type LiveScope,
  type Viewer,
} from '@tidegate/bff';
import { createMessage, defineMessage, encodeEnvelope } from '@tidegate/core';
import type { OutgoingRecord } from '@tidegate/event-log';
import { z } from 'zod';
import { BULK_KEY, typeDefs, type Tick } from './workload.ts';

const tick = z.object({
  key: z.string().min(1),
  version: z.int().min(1),
  at: z.number(),
  asked: z.number(),
  status: z.string(),
  customer: z.string(),
  amount: z.number(),
  note: z.string(),
});

const HOUR_MS = 60 * 60 * 1000;

export const TickChanged = defineMessage('TickChanged', {
  owner: 'bench',
  version: 1,
  topic: {
    name: 'bench.ticks',
    cleanup: 'compact',
    retentionMs: 24 * HOUR_MS,
    description: 'ticks of the measurements',
  },
  key: 'tick key',
  schema: tick,
});

/** Equal to the default of the platform's topics. */
export const PARTITIONS = 6;

const stream = defineLiveStream<Tick>({
  name: 'ticks',
  definition: TickChanged,
  partitioner: 'murmur2',
  terms: ({ key }) => (key === BULK_KEY ? [`key:${key}`] : ['all', `key:${key}`]),
});

function operators(viewer: Viewer): LiveScope<Tick> {
  requireRole(viewer, 'operator');
  return { id: viewer.role, viewer: { role: viewer.role, id: '' }, sees: () => true };
}

/** A BFF without services: it measures the live engine alone. */
export const benchBff: Bff = {
  name: 'bench',
  typeDefs,
  resolvers: { Query: { ready: () => true } },
  liveFields: {
    ticks: defineLiveField<Record<string, never>, Tick, unknown>({
      stream,
      authorise: operators,
      term: () => 'all',
      overflow: 'close',
    }),
    tick: defineLiveField<{ key: string }, Tick, unknown>({
      stream,
      authorise: operators,
      term: ({ key }) => `key:${key}`,
      key: ({ key }) => key,
      overflow: 'close',
    }),
  },
};

/** Encodes a tick as the record of a document topic. */
export function tickRecord(data: Tick): OutgoingRecord {
  const { key, version } = data;
  const id = `ticks/${key}@${version}`;
  return encodeEnvelope(createMessage(TickChanged, { id, key, sequence: version, timeMs: Date.now(), data }));
}
