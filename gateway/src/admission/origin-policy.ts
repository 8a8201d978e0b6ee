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

/** @param allowed origins as browsers and apps send them, such as `https://shop.example` or `capacitor://localhost`. */
export function createOriginPolicy(allowed: readonly string[]): OriginPolicy {
  const listed = new Set(allowed.map(originOf));
  return {
    allows: (request) => {
      const { origin, host } = request.headers;
      if (origin === undefined) return true;
      return listed.has(origin) || isOwnHost(origin, host);
    },
    allowReading: (request, response) => {
      if (listed.size === 0) return;
      // The headers depend on the origin: a cache must not serve the response of one origin to another.
      response.appendHeader('vary', 'origin');
      const { origin } = request.headers;
      if (origin === undefined || !listed.has(origin)) return;
      response.setHeader('access-control-allow-origin', origin);
      response.setHeader('access-control-allow-credentials', 'true');
      response.setHeader('access-control-expose-headers', EXPOSED_HEADERS);
    },
  };
}

/** The schemes of apps have no origin in the URL standard: theirs are compared as they are written. */
function originOf(text: string): string {
  const { origin } = new URL(text);
  return origin === 'null' ? text : origin;
}

/** Ignores whether TLS is used: a proxy may have terminated it. */
function isOwnHost(origin: string, host: string | undefined): boolean {
  if (host === undefined || !URL.canParse(origin)) return false;
  const { protocol, host: originHost } = new URL(origin);
  if (protocol !== 'https:' && protocol !== 'http:') return false;
  // Parsed as a URL, so that `example:443` and `example` are the same host of `https:`.
  const own = `${protocol}//${host}`;
  return URL.canParse(own) && new URL(own).host === originHost;
}

const EXPOSED_HEADERS = 'retry-after, www-authenticate, ratelimit, ratelimit-policy';

const PREFLIGHT_HEADERS = {
  'access-control-allow-methods': 'GET, POST, PUT, DELETE',
  'access-control-allow-headers':
    'authorization, content-type, accept, last-event-id, x-graphql-event-stream-token, traceparent, tracestate, baggage',
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
