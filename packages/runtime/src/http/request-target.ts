import type { IncomingMessage } from 'node:http';
import { TidegateError } from '@tidegate/core';

/** The whole server as a target, for `OPTIONS *` (RFC 9112, 3.2.4). */
export const WHOLE_SERVER = '*';

/** Matches the authority of a Host header: a name, an IPv4 address or an IPv6 address in brackets, and a port. */
const AUTHORITY = /^(?:\[[0-9a-f:.]+\]|[^\s/?#@\\[\]:<>^`{|}"]+)(?::\d{0,5})?$/i;
/** Matches a target in absolute form and captures its authority and the rest (RFC 9112, 3.2.2). */
const ABSOLUTE_FORM = /^https?:\/\/([^/?#]*)([^#]*)$/i;

/**
 * Checks the target and the host of a request, and rewrites a target in absolute form to the origin form that handlers
 * expect. The authority of an absolute target replaces the Host header. Afterwards `http://<host><url>` is a valid URL,
 * unless `url` is `WHOLE_SERVER`.
 *
 * @throws TidegateError BAD_REQUEST when the request is of another version than HTTP/1, names several hosts, or a host or
 * target that is malformed.
 */
export function normaliseTarget(request: IncomingMessage): void {
  requireOneHost(request.rawHeaders);
  const { url = '/', headers, method } = request;
  // Node answers any version that it can parse, and a request line without one.
  if (request.httpVersionMajor !== 1) throw new TidegateError('BAD_REQUEST', 'The request is not of HTTP/1.');
  if (headers.host !== undefined) requireAuthority(headers.host);
  if (url.startsWith('/')) return;
  if (url === WHOLE_SERVER && method === 'OPTIONS') return;
  const [, authority, rest = ''] = ABSOLUTE_FORM.exec(url) ?? [];
  if (authority === undefined)
    throw new TidegateError('BAD_REQUEST', 'The request target is not an address.');
  requireAuthority(authority);
  headers.host = authority;
  request.url = rest.startsWith('/') ? rest : `/${rest}`;
}

function requireAuthority(host: string): void {
  if (AUTHORITY.test(host) && URL.canParse(`http://${host}/`)) return;
  throw new TidegateError('BAD_REQUEST', 'The host of the request is not a host name and port.');
}

/** Node takes the first of several Host headers, and a proxy before it may have taken another one (RFC 9112, 3.2). */
function requireOneHost(rawHeaders: readonly string[]): void {
  let hosts = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!;
    if (name.length === 4 && name.toLowerCase() === 'host') hosts++;
  }
  if (hosts > 1) throw new TidegateError('BAD_REQUEST', 'The request names more than one host.');
}
