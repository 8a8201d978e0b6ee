import { encodeStructured, type Envelope, isErrorCode, errorCodes, TidegateError } from '@tidegate/core';
import type { ExecutionResult } from 'graphql';
import type { RegisteredEndpoint } from '../endpoints/endpoint-cache.ts';

export interface BodyRenderer {
  /**
   * The CloudEvent that is posted: the change's attributes, and as `data` what the endpoint's document selects.
   *
   * @throws TidegateError when a resolver failed in a way that may pass, or left nothing to send.
   */
  render(endpoint: RegisteredEndpoint, envelope: Envelope): Promise<string>;
}

/** Recent bodies, for the other endpoints of a group: they come for the same change within moments. */
const MAX_KEPT = 200;
const MAX_KEPT_CHARACTERS = 64 * 1024;

/** Executes once per group (equal document, variables and scope) and change, like the hub does for subscribers. */
export function createBodyRenderer(): BodyRenderer {
  const recent = new Map<string, Promise<string>>();

  function keep(key: string, body: Promise<string>): void {
    recent.set(key, body);
    if (recent.size > MAX_KEPT) recent.delete(recent.keys().next().value!);
    body.then(
      (text) => text.length > MAX_KEPT_CHARACTERS && recent.delete(key),
      () => recent.delete(key),
    );
  }

  return {
    render(endpoint, envelope) {
      const key = `${endpoint.group} ${envelope.source} ${envelope.id}`;
      const known = recent.get(key);
      if (known) return known;
      const body = renderBody(endpoint, envelope);
      keep(key, body);
      return body;
    },
  };
}

async function renderBody(endpoint: RegisteredEndpoint, envelope: Envelope): Promise<string> {
  const result = await endpoint.request.render(envelope.data, envelope.traceparent);
  refuseTemporaryErrors(result);
  const event = encodeStructured({ ...envelope, data: result.data });
  // CloudEvents attributes are flat: what a subscriber finds in `errors` travels as JSON in an extension.
  const errors = result.errors && { graphqlerrors: JSON.stringify(result.errors) };
  return JSON.stringify({ ...event, ...errors });
}

/** A subscriber sees a hole and asks again; a partner would keep the hole for ever. */
function refuseTemporaryErrors(result: ExecutionResult): void {
  const codes = (result.errors ?? []).map(({ extensions }) => extensions['code']).filter(isErrorCode);
  const temporary = codes.find((code) => errorCodes[code].retryable);
  if (!temporary && result.data) return;
  const code = temporary ?? codes[0] ?? 'INTERNAL';
  throw new TidegateError(code, result.errors?.[0]?.message ?? 'The document selects nothing.');
}
