import type { IncomingMessage } from 'node:http';
import Negotiator from 'negotiator';

export type JsonType = 'application/graphql-response+json' | 'application/json';

const EVENT_STREAM = 'text/event-stream';

/** Types of a result; the first is the answer to a wildcard. A client may name the charset; there is one only. */
const JSON_TYPES: readonly JsonType[] = ['application/json', 'application/graphql-response+json'];
const OFFERED = JSON_TYPES.flatMap((type) => [type, `${type}; charset=utf-8`]);

/** Types that a request may be answered in, for refusals. */
export const answerTypes: readonly string[] = [...JSON_TYPES, EVENT_STREAM];

/** True when the client names event streams, and not only by a wildcard. */
export function acceptsEventStream(request: IncomingMessage): boolean {
  if (!request.headers.accept) return false;
  return negotiatorOf(request)
    .mediaTypes()
    .some((type) => type.toLowerCase() === EVENT_STREAM);
}

/** Returns the type of JSON that the client prefers; undefined when it accepts none. */
export function acceptedJson(request: IncomingMessage): JsonType | undefined {
  const preferred = negotiatorOf(request).mediaType(OFFERED);
  return JSON_TYPES.find((type) => preferred?.startsWith(type));
}

/** An empty header counts as absent. */
function negotiatorOf({ headers: { accept } }: IncomingMessage): Negotiator {
  return new Negotiator({ headers: accept ? { accept } : {} });
}
