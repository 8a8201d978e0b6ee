import { TidegateError } from '../errors/tidegate-error.ts';
import { z } from 'zod';
import { decodeEnvelope, type Envelope } from './envelope.ts';
import type { TopicDefinition } from './topic-definition.ts';

/** A message type: its name, schema, version, topic and producer. */
export interface MessageDefinition<Name extends string = string, Schema extends z.ZodType = z.ZodType> {
  readonly name: Name;
  /** CloudEvents attribute `type`, e.g. `tidegate.counters.CounterRaised`. */
  readonly type: string;
  /** CloudEvents attribute `source`, e.g. `/tidegate/counters`. */
  readonly source: string;
  /** Version of the schema, from 1. */
  readonly version: number;
  readonly topic: TopicDefinition;
  /** Description of the record's key, for documentation, e.g. `counter id`. */
  readonly key: string;
  readonly schema: Schema;
}

/**
 * Declares a message type. `owner` is the service that produces it and part of `type` and `source`.
 *
 * @example
 * const counterEvents = defineTopic('counters.events', 'delete', 'counters, keyed by counter id');
 * const CounterRaised = defineMessage('CounterRaised', {
 *   owner: 'counters',
 *   version: 1,
 *   topic: counterEvents,
 *   key: 'counter id',
 *   schema: z.object({ counterId: z.string().min(1) }),
 * });
 */
export function defineMessage<Name extends string, Schema extends z.ZodType>(
  name: Name,
  options: { owner: string; version: number; topic: TopicDefinition; key: string; schema: Schema },
): MessageDefinition<Name, Schema> {
  const { owner, version, topic, key, schema } = options;
  return {
    name,
    type: `tidegate.${owner}.${name}`,
    source: `/tidegate/${owner}`,
    version,
    topic,
    key,
    schema,
  };
}

/** Type of the data of a message type. */
export type DataOf<Definition extends MessageDefinition> = z.infer<Definition['schema']>;

/** An envelope with checked data and a `name` that discriminates the type of `data`. */
export type Message<Definition extends MessageDefinition = MessageDefinition> =
  Definition extends MessageDefinition<infer Name, infer Schema>
    ? Envelope<z.infer<Schema>> & { readonly name: Name }
    : never;

/**
 * Creates an envelope of a message type. `timeMs` is the time of the occurrence in epoch milliseconds; `key` becomes the
 * subject.
 *
 * @throws ZodError when `data` does not match the schema, so that no malformed message is produced.
 *
 * @example
 * const raised = createMessage(CounterRaised, {
 *   id: 'counters/42@7',
 *   key: '42',
 *   sequence: 7,
 *   timeMs: Date.now(),
 *   data: { counterId: '42' },
 * });
 */
export function createMessage<Definition extends MessageDefinition>(
  definition: Definition,
  attributes: {
    id: string;
    key: string;
    sequence: number;
    timeMs: number;
    data: DataOf<Definition>;
    causationid?: string | undefined;
    traceparent?: string | undefined;
  },
): Envelope<DataOf<Definition>> {
  return {
    id: attributes.id,
    source: definition.source,
    type: definition.type,
    time: new Date(attributes.timeMs).toISOString(),
    subject: attributes.key,
    dataversion: definition.version,
    sequence: attributes.sequence,
    causationid: attributes.causationid,
    traceparent: attributes.traceparent,
    data: definition.schema.parse(attributes.data) as DataOf<Definition>,
  };
}

/**
 * Creates a parser for the message types of a consumer. It returns undefined for other `tidegate.*` types, which a
 * shared topic may hold.
 *
 * The parser throws TidegateError RECORD_MALFORMED with the reason when a record is not a CloudEvent, has a foreign type
 * or another `dataversion`, or its data does not match the schema.
 */
export function createMessageParser<const Definitions extends readonly MessageDefinition[]>(
  definitions: Definitions,
): (record: Parameters<typeof decodeEnvelope>[0]) => Message<Definitions[number]> | undefined {
  const byType = new Map<string, MessageDefinition>(
    definitions.map((definition) => [definition.type, definition]),
  );
  return (record) => {
    const envelope = decodeEnvelope(record);
    const definition = byType.get(envelope.type);
    if (!definition) {
      if (envelope.type.startsWith('tidegate.')) return undefined;
      throw new TidegateError('RECORD_MALFORMED', `nobody here knows the type "${envelope.type}"`);
    }
    if (envelope.dataversion !== definition.version) {
      throw new TidegateError(
        'RECORD_MALFORMED',
        `${definition.name} has version ${envelope.dataversion}; this consumer reads ${definition.version}`,
      );
    }
    const data = definition.schema.safeParse(envelope.data);
    if (!data.success) {
      throw new TidegateError('RECORD_MALFORMED', `${definition.name}: ${z.prettifyError(data.error)}`);
    }
    return { ...envelope, data: data.data, name: definition.name } as unknown as Message<Definitions[number]>;
  };
}
