import type { IncomingMessage, ServerResponse } from 'node:http';

/**
 * Decides which web pages may use the gateway from a browser: pages of its own host and of the listed origins. One rule
 * for WebSocket upgrades, which browsers permit to every page, and for the CORS headers of all other requests.
 */
export interface OriginPolicy {
  /** False for a page of another origin. True without an `Origin` header: the client is no browser. */
  allows(request: IncomingMessage): boolean;
  /** Lets a page of a listed origin read the response. Without these headers the browser withholds it. */
  allowReading(request: IncomingMessage, response: ServerResponse): void;
}

/** @param allowed origins as browsers send them, such as `https://shop.example`. */
export function createOriginPolicy(allowed: readonly string[]): OriginPolicy {
  const listed = new Set(allowed.map((origin) => new URL(origin).origin));
  return {
    allows: (request) => {
      const { origin, host } = request.headers;
      if (origin === undefined) return true;
      return listed.has(origin) || isOwnHost(origin, host);
    },
    allowReading: (request, response) => {
      if (listed.size === 0) return;
      // The headers depend on the origin: a cache must not serve the response of one origin to another.
      response.setHeader('vary', 'origin');
      const { origin } = request.headers;
      if (origin === undefined || !listed.has(origin)) return;
      response.setHeader('access-control-allow-origin', origin);
      response.setHeader('access-control-expose-headers', 'retry-after, www-authenticate');
    },
  };
}

/** Ignores the scheme: a proxy may have terminated TLS. */
function isOwnHost(origin: string, host: string | undefined): boolean {
  if (host === undefined || !URL.canParse(origin)) return false;
  const { protocol, host: originHost } = new URL(origin);
  if (originHost === '') return false;
  // Parsed as a URL, so that `example:443` and `example` are the same host of `https:`.
  const own = `${protocol}//${host}`;
  return URL.canParse(own) && new URL(own).host === originHost;
}

const PREFLIGHT_HEADERS = {
  'access-control-allow-methods': 'GET, POST, PUT, DELETE',
  'access-control-allow-headers':
    'authorization, content-type, accept, last-event-id, x-graphql-event-stream-token, traceparent',
  'access-control-max-age': '600',
};

/**
 * Answers a CORS preflight (https://fetch.spec.whatwg.org/#cors-preflight-fetch).
 *
 * @returns false for any other request, which is not answered.
 */
export function answerPreflight(
  request: IncomingMessage,
  response: ServerResponse,
  origins: OriginPolicy,
): boolean {
  const isPreflight =
    request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined;
  if (!isPreflight) return false;
  origins.allowReading(request, response);
  const isAllowed = response.hasHeader('access-control-allow-origin');
  response.writeHead(204, isAllowed ? PREFLIGHT_HEADERS : {}).end();
  return true;
}
