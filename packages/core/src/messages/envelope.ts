import { TidegateError } from '../errors/tidegate-error.ts';
import { z } from 'zod';

/**
 * A CloudEvents 1.0 envelope (https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md) with the
 * extension attributes this platform relies on.
 */
export interface Envelope<Data = unknown> {
  /** Unique with `source`. Deterministic where the platform makes it: `<stream>/<key>@<version>`. */
  readonly id: string;
  /** Who says so, e.g. `/tidegate/orders`. */
  readonly source: string;
  /** The catalogue's name, e.g. `tidegate.orders.OrderPlaced`. */
  readonly type: string;
  /** When it happened: RFC 3339, milliseconds. */
  readonly time: string;
  /** The key: the aggregate's id. */
  readonly subject: string;
  /** Version of the data's schema, from 1. */
  readonly dataversion: number;
  /** Version of the aggregate or document after this, from 1, dense per key. */
  readonly sequence: number;
  /** W3C trace context of what caused it. */
  readonly traceparent?: string | undefined;
  /** Id of the command or event that caused it. */
  readonly causationid?: string | undefined;
  readonly data: Data;
}

/** What a record of the log needs to hold for an envelope: key, JSON value, `ce_*` headers. */
export interface EncodedEnvelope {
  readonly key: string;
  readonly value: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

/** Kafka protocol binding, binary mode: attributes are `ce_*` headers, data is the value, key is the subject. */
export function encodeEnvelope(envelope: Envelope): EncodedEnvelope {
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    ce_specversion: '1.0',
    ce_id: envelope.id,
    ce_source: envelope.source,
    ce_type: envelope.type,
    ce_time: envelope.time,
    ce_subject: envelope.subject,
    ce_dataversion: String(envelope.dataversion),
    ce_sequence: String(envelope.sequence),
  };
  if (envelope.causationid !== undefined) headers['ce_causationid'] = envelope.causationid;
  if (envelope.traceparent !== undefined) headers['traceparent'] = envelope.traceparent;
  return { key: envelope.subject, value: Buffer.from(JSON.stringify(envelope.data)), headers };
}

const headersSchema = z.object({
  ce_specversion: z.literal('1.0'),
  ce_id: z.string().min(1),
  ce_source: z.string().min(1),
  ce_type: z.string().min(1),
  ce_time: z.iso.datetime({ offset: true }),
  ce_subject: z.string().min(1),
  ce_dataversion: z.coerce.number().int().min(1),
  ce_sequence: z.coerce.number().int().min(1),
  ce_causationid: z.string().optional(),
  traceparent: z.string().optional(),
});

/**
 * The inverse of `encodeEnvelope`. The data is JSON and not yet checked against the catalogue.
 *
 * @throws TidegateError RECORD_MALFORMED with the reason that goes to the dead letters.
 */
export function decodeEnvelope(record: {
  readonly key: string;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
}): Envelope {
  const parsed = headersSchema.safeParse(record.headers);
  if (!parsed.success) {
    throw new TidegateError(
      'RECORD_MALFORMED',
      `not a CloudEvents 1.0 record: ${z.prettifyError(parsed.error)}`,
    );
  }
  const headers = parsed.data;
  if (record.key !== headers.ce_subject) {
    throw new TidegateError(
      'RECORD_MALFORMED',
      `the record's key "${record.key}" is not its subject "${headers.ce_subject}"`,
    );
  }
  return {
    id: headers.ce_id,
    source: headers.ce_source,
    type: headers.ce_type,
    time: headers.ce_time,
    subject: headers.ce_subject,
    dataversion: headers.ce_dataversion,
    sequence: headers.ce_sequence,
    causationid: headers.ce_causationid,
    traceparent: headers.traceparent,
    data: parseJson(record.value),
  };
}

function parseJson(value: Buffer | null): unknown {
  if (value === null) throw new TidegateError('RECORD_MALFORMED', 'the record has no value');
  try {
    return JSON.parse(value.toString('utf8'));
  } catch (error) {
    throw new TidegateError('RECORD_MALFORMED', `the value is not JSON: ${(error as Error).message}`);
  }
}

/** Structured mode: the JSON object that travels over HTTP (`application/cloudevents+json`). */
export function encodeStructured(envelope: Envelope): Record<string, unknown> {
  const { data, ...attributes } = envelope;
  const known = Object.entries(attributes).filter(([, value]) => value !== undefined);
  return { specversion: '1.0', datacontenttype: 'application/json', ...Object.fromEntries(known), data };
}
