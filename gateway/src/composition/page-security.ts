import { randomBytes } from 'node:crypto';

/** Creates a CSP nonce. Each response needs a new one. */
export function createNonce(): string {
  return randomBytes(16).toString('base64');
}

/**
 * Returns the security headers of the page. Only scripts of this origin run, and `Integrity-Policy` (Chromium,
 * Firefox) additionally requires a hash for each of them.
 */
export function pageSecurityHeaders(nonce: string, { host, protocol }: URL): Record<string, string> {
  const directives = [
    "default-src 'none'",
    `script-src 'self' 'nonce-${nonce}'`,
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    `connect-src 'self'${webSocketSource(host, protocol)}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ];
  return {
    'content-security-policy': directives.join('; '),
    'integrity-policy': 'blocked-destinations=(script)',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'same-origin',
    'cross-origin-opener-policy': 'same-origin',
  };
}

/** Returns the source of the page's WebSocket, because not every browser counts `ws:` of the same host as 'self'. */
function webSocketSource(host: string, protocol: string): string {
  // The host comes from the request. One with other characters could add directives.
  if (!/^[A-Za-z0-9.:[\]-]+$/.test(host)) return '';
  return ` ${protocol === 'https:' ? 'wss' : 'ws'}://${host}`;
}
