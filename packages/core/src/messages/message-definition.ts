import { TidegateError } from '../errors/tidegate-error.ts';
import { z } from 'zod';
import { decodeEnvelope, type Envelope } from './envelope.ts';
import type { TopicDefinition } from './topic-definition.ts';

/** One message type of the platform: its full name, schema, version, topic, and who says it. */
export interface MessageDefinition<Name extends string = string, Schema extends z.ZodType = z.ZodType> {
  readonly name: Name;
  /** The CloudEvents `type`. */
  readonly type: string;
  readonly source: string;
  readonly version: number;
  readonly topic: TopicDefinition;
  /** What the record's key names. */
  readonly key: string;
  readonly schema: Schema;
}

/** Declares a message type. `owner` is the service that emits it and gives type and source their middle part. */
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

/** The typed data of a definition. */
export type DataOf<Definition extends MessageDefinition> = z.infer<Definition['schema']>;

/** An envelope whose `name` tells which type its `data` has: switch on it. */
export type Message<Definition extends MessageDefinition = MessageDefinition> =
  Definition extends MessageDefinition<infer Name, infer Schema>
    ? Envelope<z.infer<Schema>> & { readonly name: Name }
    : never;

/** Builds the envelope of a definition; the data is checked, so that nothing malformed is ever emitted. */
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
 * Makes the parser for the message types that a consumer knows.
 * A type that is not among them parses to undefined (somebody else's message on a shared topic).
 *
 * @throws (the parser) TidegateError RECORD_MALFORMED with the reason.
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
