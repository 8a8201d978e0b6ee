import type { IncomingMessage } from 'node:http';
import { BlockList, isIP, isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';

/** Determines the client address of requests and sockets, across trusted proxies. */
export interface ClientAddresses {
  /** Returns the address that a request is counted by. */
  of(request: IncomingMessage): string;
  /** Returns the address that a socket is counted by; undefined for a trusted proxy, which carries many clients. */
  ofSocket(socket: { readonly remoteAddress?: string | undefined }): string | undefined;
}

/**
 * Creates the rule by which `X-Forwarded-For` is read. Any client can send the header, so it is read from the right,
 * where trusted proxies append to it, up to the first address that is not a trusted proxy. Without trusted proxies it
 * is ignored.
 *
 * @param trustedProxies addresses or CIDR ranges, checked by `addressRanges` of `@tidegate/runtime/config`.
 */
export function createClientAddresses(trustedProxies: readonly string[]): ClientAddresses {
  const trusted = blockListOf(trustedProxies);
  const isTrusted = (address: string): boolean =>
    isIP(address) !== 0 && trusted.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
  return {
    of: (request) => {
      let address = unmapped(request.socket.remoteAddress);
      if (trustedProxies.length === 0) return countedAs(address);
      const hops = forwardedFor(request);
      while (isTrusted(address) && hops.length > 0) {
        const hop = unmapped(hops.pop());
        // A trusted proxy appends addresses only: the last address found is the nearest to the client.
        if (isIP(hop) === 0) break;
        address = hop;
      }
      return countedAs(address);
    },
    ofSocket: ({ remoteAddress }) => {
      const address = unmapped(remoteAddress);
      return isTrusted(address) ? undefined : countedAs(address);
    },
  };
}

/** Returns the /64 of an IPv6 address, because one client commonly has all of it; an IPv4 address as it is. */
function countedAs(address: string): string {
  if (!isIPv6(address)) return address;
  const groups = ipaddr.IPv6.parse(address).parts.slice(0, 4);
  return `${groups.map((group) => group.toString(16)).join(':')}::/64`;
}

/** Returns the IPv4 address of an IPv4-mapped IPv6 address, any other address as it is. */
function unmapped(address = ''): string {
  const text = address.trim();
  return isIPv6(text) ? ipaddr.process(text).toString() : text;
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
