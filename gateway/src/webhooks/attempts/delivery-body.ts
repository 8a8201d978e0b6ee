import { encodeStructured, errorCodes, isErrorCode, TidegateError, type Envelope } from '@tidegate/core';
import type { ExecutionResult } from 'graphql';
import { LRUCache } from 'lru-cache';
import type { PreparedEndpoint } from '../endpoints/endpoint-cache.ts';

/** Maximum number of cached bodies. The endpoints of a group need the body of a change within moments. */
const MAX_CACHED = 200;
/** Longer bodies are not cached. */
const MAX_CACHED_CHARACTERS = 64 * 1024;

/** Renders bodies, once per change and group (equal document, variables and scope), as the hub does for subscribers. */
export class BodyRenderer {
  readonly #cache = new LRUCache<string, Promise<string>>({ max: MAX_CACHED });

  /**
   * Renders the CloudEvent to send: the attributes of the change, with the endpoint's selection as `data`.
   *
   * @throws TidegateError with a retryable code when a resolver failed temporarily.
   * @throws TidegateError with the first error's code when there is no data to send.
   */
  render(endpoint: PreparedEndpoint, envelope: Envelope): Promise<string> {
    const key = `${endpoint.group} ${envelope.source} ${envelope.id}`;
    const cached = this.#cache.get(key);
    if (cached) return cached;
    const body = renderBody(endpoint, envelope);
    this.#cache.set(key, body);
    body.then(
      (text) => text.length > MAX_CACHED_CHARACTERS && this.#cache.delete(key),
      () => this.#cache.delete(key),
    );
    return body;
  }
}

async function renderBody(endpoint: PreparedEndpoint, envelope: Envelope): Promise<string> {
  const result = await endpoint.request.render(envelope.data, envelope.traceparent);
  requireComplete(result);
  const event = encodeStructured({ ...envelope, data: result.data });
  // Attributes of a CloudEvent are flat, so GraphQL's `errors` are sent as JSON in an extension attribute.
  const errors = result.errors && { graphqlerrors: JSON.stringify(result.errors) };
  return JSON.stringify({ ...event, ...errors });
}

/**
 * Refuses a result with temporary errors, so that it is retried. A subscriber can query missing data again; a partner
 * would keep the null for ever.
 */
function requireComplete(result: ExecutionResult): void {
  const codes = (result.errors ?? []).map(({ extensions }) => extensions['code']).filter(isErrorCode);
  const temporary = codes.find((code) => errorCodes[code].retryable);
  if (!temporary && result.data) return;
  const code = temporary ?? codes[0] ?? 'INTERNAL';
  throw new TidegateError(code, result.errors?.[0]?.message ?? 'The document selects nothing.');
}
