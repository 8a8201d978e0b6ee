import type { IncomingMessage } from 'node:http';
import { BlockList, isIP, isIPv6 } from 'node:net';

/** Tells where requests come from, across the proxies that are trusted to say so. */
export interface ClientAddresses {
  /** Whom to count a request for. */
  of(request: IncomingMessage): string;
  /** Whom to count a socket for; undefined for one of our own proxies, whose sockets are many clients'. */
  ofSocket(socket: { readonly remoteAddress?: string | undefined }): string | undefined;
}

/**
 * `X-Forwarded-For` is what anybody can write. It is read from the right, where our own proxies have added to it, up
 * to the first address that is not one of theirs; without trusted proxies it is not read at all.
 *
 * @param trustedProxies addresses or CIDR ranges, as `addressRanges` of `@tidegate/config` has checked them.
 */
export function createClientAddresses(trustedProxies: readonly string[]): ClientAddresses {
  const trusted = blockListOf(trustedProxies);
  const isTrusted = (address: string): boolean =>
    isIP(address) !== 0 && trusted.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
  return {
    of: (request) => {
      let address = plain(request.socket.remoteAddress);
      if (trustedProxies.length === 0) return countedAs(address);
      const hops = forwardedFor(request);
      while (isTrusted(address) && hops.length > 0) {
        const hop = plain(hops.pop());
        // What is no address was not written by a proxy of ours: the last one that was is as near as we get.
        if (isIP(hop) === 0) break;
        address = hop;
      }
      return countedAs(address);
    },
    ofSocket: ({ remoteAddress }) => {
      const address = plain(remoteAddress);
      return isTrusted(address) ? undefined : countedAs(address);
    },
  };
}

/** An IPv6 client has a whole /64 to itself, so that is what is counted. */
function countedAs(address: string): string {
  if (!isIPv6(address)) return address;
  const [left = '', right] = address.replace(/%.*$/, '').split('::');
  const groups = left === '' ? [] : left.split(':');
  const tail = right === undefined || right === '' ? [] : right.split(':');
  while (right !== undefined && groups.length + tail.length < 8) groups.push('0');
  return `${[...groups, ...tail]
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}

/** An IPv4 address that came over an IPv6 socket is an IPv4 address. */
function plain(address: string | undefined): string {
  const text = (address ?? '').trim();
  return text.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '');
}

function forwardedFor(request: IncomingMessage): string[] {
  const header = request.headers['x-forwarded-for'] ?? '';
  return (Array.isArray(header) ? header.join(',') : header).split(',').filter((hop) => hop.trim() !== '');
}

function blockListOf(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = '', prefix] = range.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    if (prefix === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(prefix), family);
  }
  return list;
}
