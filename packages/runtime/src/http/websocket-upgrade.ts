import type { IncomingMessage } from 'node:http';

/**
 * True for an upgrade to WebSocket: a GET of HTTP/1.1 that names the protocol. Any other upgrade is ignored and its
 * request is answered over HTTP/1.1 (RFC 9110, 7.8), such as the `h2c` that every JDK client offers.
 */
export function asksForWebSocket({ method, httpVersion, headers }: IncomingMessage): boolean {
  if (method !== 'GET' || httpVersion !== '1.1') return false;
  return (
    headers.upgrade?.split(',').some((protocol) => protocol.trim().toLowerCase() === 'websocket') ?? false
  );
}
