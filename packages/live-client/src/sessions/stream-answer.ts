import type { GraphQLErrorLike } from '../result.ts';
import { EventStreamParser, type EventStreamHandlers } from './event-stream.ts';
import type { SessionEnd } from './session.ts';

/** Close code that a WebSocket would have in place of an HTTP status without GraphQL errors. */
const closeCodes: Readonly<Record<number, number>> = { 401: 4401, 413: 4413, 429: 4429 };
const tokenCodes: readonly string[] = ['UNAUTHENTICATED', 'TOKEN_EXPIRED'];

/** An answer of a server that is not the expected one. */
export interface Refusal {
  /** Errors of the gateway; undefined when something else has answered, such as a proxy. */
  readonly errors: readonly GraphQLErrorLike[] | undefined;
  /** End of the session, if the refusal concerns all of it. */
  readonly end: SessionEnd;
}

/** Reads the answer to a request that was refused. */
export async function readRefusal(response: Response): Promise<Refusal> {
  const errors = errorsIn(await response.text());
  const closeCode = closeCodes[response.status];
  const reason = errors?.[0]?.message ?? `The server answered ${response.status} instead of a stream.`;
  return { errors, end: { reason, ...(closeCode && { closeCode }) } };
}

/** Returns the end of the session for errors of its token; undefined for errors of one subscription. */
export function tokenRefusal(errors: readonly GraphQLErrorLike[]): SessionEnd | undefined {
  const code = String(errors[0]?.extensions?.['code']);
  if (!tokenCodes.includes(code)) return undefined;
  return { closeCode: 4401, reason: errors[0]?.message ?? code };
}

export interface EventReading extends EventStreamHandlers {
  /** False once nothing more is to be reported; the reading then ends. */
  readonly isWanted: () => boolean;
  /** Called before each wait for bytes. */
  readonly onWait: () => void;
}

/** Reads an event stream. Resolves at its end. Rejects when it is cut. */
export async function readEvents(
  body: ReadableStream<Uint8Array>,
  { onEvent, onComment, isWanted, onWait }: EventReading,
): Promise<void> {
  const parser = new EventStreamParser({
    onEvent: (event) => isWanted() && onEvent(event),
    onComment: (text) => isWanted() && onComment(text),
  });
  const decoder = new TextDecoder();
  const reader = body.getReader();
  for (;;) {
    onWait();
    const { done, value } = await reader.read();
    if (done || !isWanted()) return;
    parser.push(decoder.decode(value, { stream: true }));
  }
}

function errorsIn(body: string): readonly GraphQLErrorLike[] | undefined {
  try {
    const { errors } = JSON.parse(body) as { errors?: unknown };
    return Array.isArray(errors) && errors.length > 0 ? (errors as GraphQLErrorLike[]) : undefined;
  } catch {
    // Not JSON: most likely the page of a proxy.
    return undefined;
  }
}
