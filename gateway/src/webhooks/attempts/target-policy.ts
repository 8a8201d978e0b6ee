/**
 * Target policy: the addresses that webhooks may be sent to.
 *
 * A partner chooses the URL and the dispatcher sends from inside our network. Without a policy a partner could reach
 * internal services (server-side request forgery, SSRF).
 *
 * - The URL is `https`, without user name, password and fragment.
 * - Its address is public unicast; of IPv6 that is 2000::/3. IPv4-mapped addresses are judged as IPv4. Addresses of tunnels
 *   and translations, which embed an IPv4 address, are refused: 6to4, Teredo, NAT64, ISATAP, IPv4-compatible.
 * - Every address of a name has to be allowed, because the one that is connected to is chosen later.
 * - A refused name does not tell its addresses: they may be those of an internal network.
 * - The rules are applied at registration and again for each connection: a name may resolve to another address by then.
 * - `allowPrivateTargets` also allows private and loopback addresses, and `http` to loopback. For development and tests.
 */
import { lookup as dnsLookup, type LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { TidegateError } from '@tidegate/core';
import ipaddr from 'ipaddr.js';

export interface TargetPolicyOptions {
  /** Default false. */
  readonly allowPrivateTargets?: boolean | undefined;
  /** Resolver. Default `lookup` of `node:dns`. */
  readonly dns?: DnsLookup | undefined;
}

export type DnsLookup = (
  host: string,
  options: { all: true; verbatim: true },
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

const MAX_URL_CHARACTERS = 2_000;
/** Metadata service and host agent of Azure. Its range is public, its use is not. */
const AZURE_HOST = '168.63.129.16';
/** Global unicast addresses of IPv6 (RFC 4291, 2.4). */
const GLOBAL_IPV6 = ipaddr.IPv6.parseCIDR('2000::/3');
/** Second half of an ISATAP address (RFC 5214, 6.1), before its IPv4 address: 0000:5efe or 0200:5efe. */
const ISATAP = { mark: 0x5efe, firstParts: [0x0000, 0x0200, 0x0100, 0x0300] };
const PRIVATE_RANGES: readonly string[] = ['loopback', 'private', 'uniqueLocal', 'carrierGradeNat'];

export class TargetPolicy {
  readonly #allowPrivate: boolean;
  readonly #dns: DnsLookup;

  constructor({ allowPrivateTargets = false, dns = dnsLookup }: TargetPolicyOptions = {}) {
    this.#allowPrivate = allowPrivateTargets;
    this.#dns = dns;
  }

  /**
   * Parses a URL and checks everything that needs no network, a literal address included.
   *
   * @throws TidegateError BAD_USER_INPUT when the URL is denied.
   */
  parseUrl(text: string): URL {
    if (text.length > MAX_URL_CHARACTERS || !URL.canParse(text)) throw denied('is not a URL');
    const url = new URL(text);
    if (url.username || url.password) throw denied('must not hold a user name or password');
    if (url.hash) throw denied('must not have a fragment');
    const allowedHttp = url.protocol === 'http:' && this.#allowPrivate && isLoopback(url);
    if (url.protocol !== 'https:' && !allowedHttp) throw denied('must begin with https://');
    const host = hostOf(url);
    if (ipaddr.isValid(host) && !this.#allows(host)) throw deniedAddress(host);
    return url;
  }

  /**
   * Resolves the name of a URL and checks each of its addresses.
   *
   * @throws TidegateError BAD_USER_INPUT when the name is unknown or an address is denied.
   * @throws TidegateError UNAVAILABLE when DNS does not answer.
   */
  async resolve(url: URL): Promise<void> {
    const host = hostOf(url);
    if (ipaddr.isValid(host)) return;
    try {
      await this.#resolveAll(host);
    } catch (error) {
      if (error instanceof TidegateError) throw error;
      if ((error as NodeJS.ErrnoException).code === 'ENOTFOUND')
        throw denied(`names an unknown host, ${host}`);
      throw new TidegateError('UNAVAILABLE', `${host} cannot be resolved at the moment.`, { cause: error });
    }
  }

  /**
   * Resolves a name for a socket, which connects to the returned addresses. Node does not look up literal addresses:
   * call `parseUrl` before each request as well.
   */
  readonly lookup: LookupFunction = (host, options, callback) => {
    this.#resolveAll(host).then(
      (addresses) => {
        if (options.all) return callback(null, addresses);
        const family = options.family === 4 || options.family === 6 ? options.family : undefined;
        const chosen = addresses.find((each) => !family || each.family === family) ?? addresses[0]!;
        callback(null, chosen.address, chosen.family);
      },
      (error: Error) => callback(error, []),
    );
  };

  #resolveAll(host: string): Promise<LookupAddress[]> {
    return new Promise((resolve, reject) => {
      this.#dns(host, { all: true, verbatim: true }, (error, addresses) => {
        if (error) return reject(error);
        const bad = addresses.find(({ address }) => !this.#allows(address));
        if (bad) reject(denied('names a host with an address that is not public'));
        else resolve(addresses);
      });
    });
  }

  #allows(address: string): boolean {
    // An address with a zone (`fe80::1%eth0`) is never public.
    if (!ipaddr.isValid(address) || address.includes('%')) return false;
    const parsed = ipaddr.process(address);
    if (parsed.toString() === AZURE_HOST) return false;
    const range = parsed.range();
    return (
      (range === 'unicast' && isGlobal(parsed)) || (this.#allowPrivate && PRIVATE_RANGES.includes(range))
    );
  }
}

function isGlobal(address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  if (!(address instanceof ipaddr.IPv6)) return true;
  const [first, mark] = address.parts.slice(4);
  if (mark === ISATAP.mark && ISATAP.firstParts.includes(first!)) return false;
  return address.match(GLOBAL_IPV6);
}

function isLoopback(url: URL): boolean {
  const host = hostOf(url);
  if (host === 'localhost') return true;
  return ipaddr.isValid(host) && ipaddr.process(host).range() === 'loopback';
}

/** Returns the host without the brackets of an IPv6 literal. `URL` has normalised octal and hexadecimal IPv4. */
function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '');
}

function denied(why: string, details: Record<string, unknown> = {}): TidegateError {
  return new TidegateError('BAD_USER_INPUT', `\`url\` ${why}.`, { details: { field: 'url', ...details } });
}

function deniedAddress(address: string): TidegateError {
  return denied(`must not point to ${address}`, { address });
}
