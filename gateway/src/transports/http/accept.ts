import type { IncomingMessage } from 'node:http';
import { TidegateError } from '@tidegate/core';
import { parse } from 'content-type';
import Negotiator from 'negotiator';

export type JsonType = 'application/graphql-response+json' | 'application/json';

const EVENT_STREAM = 'text/event-stream';

/** Types of a result; the first is the answer to a wildcard. A client may name the charset; there is one only. */
const JSON_TYPES: readonly JsonType[] = ['application/json', 'application/graphql-response+json'];
const OFFERED = JSON_TYPES.flatMap((type) => [type, `${type}; charset=utf-8`]);

/** Types of a stream of a subscription's messages. */
const STREAM_TYPES: readonly string[] = [EVENT_STREAM, 'multipart/mixed;subscriptionSpec=1.0'];

/** True when the client names event streams, and not only by a wildcard. */
export function acceptsEventStream(request: IncomingMessage): boolean {
  if (!request.headers.accept) return false;
  return negotiatorOf(request)
    .mediaTypes()
    .some((type) => type.toLowerCase() === EVENT_STREAM);
}

/** True when the client names Apollo's multipart subscriptions, by `multipart/mixed` with `subscriptionSpec` 1.0. */
export function acceptsMultipart({ headers: { accept = '' } }: IncomingMessage): boolean {
  return mediaRanges(accept).some((range) => {
    try {
      const { type, parameters } = parse(range);
      return (
        type === 'multipart/mixed' &&
        parameters['subscriptionspec'] === '1.0' &&
        Number(parameters['q'] ?? 1) > 0
      );
    } catch {
      return false;
    }
  });
}

/** Returns the error for a request whose `Accept` has no type of its answer: of a stream or of JSON. */
export function notAcceptable(answer: 'stream' | 'json' = 'json'): TidegateError {
  const accepted = answer === 'stream' ? STREAM_TYPES : [...JSON_TYPES, ...STREAM_TYPES];
  return new TidegateError('NOT_ACCEPTABLE', `This is answered as ${accepted.join(' or ')}.`, {
    details: { accepted },
  });
}

/** Returns the media ranges of an `Accept` with their parameters. A comma in a quoted value does not divide. */
function mediaRanges(accept: string): string[] {
  return accept.match(/(?:[^,"]|"(?:[^"\\]|\\.)*")+/g) ?? [];
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
