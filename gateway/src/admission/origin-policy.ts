import type { IncomingMessage, ServerResponse } from 'node:http';

/**
 * Which pages may use the gateway from a browser: those of its own host, and those of the listed origins. One rule
 * for the upgrade of WebSockets, which browsers let any page do, and for the CORS headers of everything else.
 */
export interface OriginPolicy {
  /** False for a page of another site. True without an `Origin`: that is no browser, or a page of this host. */
  allows(request: IncomingMessage): boolean;
  /** Lets a page of a listed origin read the answer. Says nothing to others: their browser then keeps it from them. */
  allowReading(request: IncomingMessage, response: ServerResponse): void;
}

/** @param allowed origins as browsers write them, such as `https://shop.example`. */
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
      // Whether the header is there depends on the origin: a cache must not give one origin's answer to another.
      response.setHeader('vary', 'origin');
      const { origin } = request.headers;
      if (origin === undefined || !listed.has(origin)) return;
      response.setHeader('access-control-allow-origin', origin);
      response.setHeader('access-control-expose-headers', 'retry-after, www-authenticate');
    },
  };
}

/** The scheme is not compared: TLS may have ended at a proxy, and then the gateway does not know of it. */
function isOwnHost(origin: string, host: string | undefined): boolean {
  if (host === undefined || !URL.canParse(origin)) return false;
  const { protocol, host: originHost } = new URL(origin);
  if (originHost === '') return false;
  // By way of a URL, so that `example:443` and `example` are the same host of `https:`.
  const own = `${protocol}//${host}`;
  return URL.canParse(own) && new URL(own).host === originHost;
}

const PREFLIGHT = {
  'access-control-allow-methods': 'GET, POST, PUT, DELETE',
  'access-control-allow-headers':
    'authorization, content-type, accept, last-event-id, x-graphql-event-stream-token, traceparent',
  'access-control-max-age': '600',
};

/** Answers a CORS preflight (https://fetch.spec.whatwg.org/#cors-preflight-fetch); false for any other request. */
export function answerPreflight(
  request: IncomingMessage,
  response: ServerResponse,
  origins: OriginPolicy,
): boolean {
  const isPreflight =
    request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined;
  if (!isPreflight) return false;
  origins.allowReading(request, response);
  response.writeHead(204, response.hasHeader('access-control-allow-origin') ? PREFLIGHT : {}).end();
  return true;
}
