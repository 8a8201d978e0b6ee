/** Addresses of one BFF: queries over HTTP, subscriptions over WebSocket, at the same path. */
export interface Endpoint {
  readonly httpUrl: string;
  readonly webSocketUrl: string;
}

/**
 * Derives both addresses from an `http(s)://` or `ws(s)://` URL or, in a browser, a path of the page's own origin.
 *
 * @throws TypeError when the URL has another scheme or cannot be parsed.
 */
export function parseEndpoint(url: string, base: string | undefined = globalThis.location?.href): Endpoint {
  const parsed = new URL(url, base);
  const secure = parsed.protocol === 'https:' || parsed.protocol === 'wss:';
  if (!secure && parsed.protocol !== 'http:' && parsed.protocol !== 'ws:') {
    throw new TypeError(`A live client speaks http(s) or ws(s); ${url} is neither.`);
  }
  const rest = `//${parsed.host}${parsed.pathname}${parsed.search}`;
  return {
    httpUrl: `${secure ? 'https:' : 'http:'}${rest}`,
    webSocketUrl: `${secure ? 'wss:' : 'ws:'}${rest}`,
  };
}
