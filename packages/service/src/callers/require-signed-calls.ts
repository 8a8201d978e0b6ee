import { toTidegateError } from '@tidegate/core';
import { errorResponse, readBody, type FetchHandler } from '@tidegate/runtime/http';
import { CALLER_HEADER, type CallerKeys } from './caller-keys.ts';

/** Maximum size of a body in bytes. */
const MAX_BODY_BYTES = 1024 * 1024;

/** Returns the handler behind a check: a call without a valid signature is answered UNAUTHENTICATED and not handled. */
export function requireSignedCalls(service: string, handle: FetchHandler, keys: CallerKeys): FetchHandler {
  return async (request) => {
    try {
      const body = await readBody(request, MAX_BODY_BYTES);
      const { pathname: path } = new URL(request.url);
      keys.verifyCall(request.headers.get(CALLER_HEADER), { service, path, body });
      const { url, method, headers, signal } = request;
      const hasBody = method !== 'GET' && method !== 'HEAD';
      return await handle(
        new Request(url, { method, headers, signal, ...(hasBody && { body: new Uint8Array(body) }) }),
      );
    } catch (error) {
      return errorResponse(toTidegateError(error));
    }
  };
}
