import type { IncomingMessage, ServerResponse } from 'node:http';
import { TidegateError } from '@tidegate/core';

/** Reason of an abort: the client that would receive the result has left. Never sent. */
export const CLIENT_LEFT = new TidegateError('UNAVAILABLE', 'The client no longer waits for the result.');

/**
 * True when the client cannot receive the response any more: it has closed its socket or its side of it. To be asked after
 * every `await`, because a listener for `close` that is added later is never called.
 */
export function hasLeft(request: IncomingMessage, response: ServerResponse): boolean {
  return response.destroyed || request.errored !== null;
}

/** Returns a signal that aborts when the client leaves before its response has ended. */
export function untilDeparture(response: ServerResponse): AbortSignal {
  const controller = new AbortController();
  const abort = (): void => controller.abort(CLIENT_LEFT);
  if (response.destroyed) abort();
  else response.once('close', abort);
  return controller.signal;
}
