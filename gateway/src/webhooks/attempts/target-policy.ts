import { lookup as dnsLookup, type LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { TidegateError } from '@tidegate/core';
import ipaddr from 'ipaddr.js';

/**
 * Where webhooks may be sent. A partner chooses the address and the dispatcher stands inside our network, so whatever
 * is not the public internet is denied (server-side request forgery): when the endpoint is registered, and again when
 * a connection is opened, because a name may resolve to something else by then.
 */
export interface TargetPolicy {
  /** Parses and checks what can be told without the network. @throws TidegateError BAD_USER_INPUT */
  parseUrl(text: string): URL;
  /** Resolves the name and checks every address. @throws TidegateError BAD_USER_INPUT, UNAVAILABLE when DNS is away */
  resolve(url: URL): Promise<void>;
  /** For the socket: what it returns is what is connected to. Literal addresses do not pass here; `parseUrl` does them. */
  readonly lookup: LookupFunction;
}

export interface TargetPolicyOptions {
  /** For development and tests: private and loopback addresses, and `http` to loopback. */
  readonly allowPrivateTargets: boolean;
  /** For tests. */
  readonly dns?: DnsLookup;
}

export type DnsLookup = (
  host: string,
  options: { all: true; verbatim: true },
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

const MAX_URL_CHARACTERS = 2_000;
/** Azure's host agent and metadata: a public address by number only. */
const AZURE_HOST = '168.63.129.16';
const PRIVATE_RANGES: readonly string[] = ['loopback', 'private', 'uniqueLocal', 'carrierGradeNat'];

export function createTargetPolicy({
  allowPrivateTargets,
  dns = dnsLookup,
}: TargetPolicyOptions): TargetPolicy {
  const denied = (address: string): boolean => !isAllowed(address, allowPrivateTargets);

  function parseUrl(text: string): URL {
    if (text.length > MAX_URL_CHARACTERS || !URL.canParse(text)) throw refused('is not a URL');
    const url = new URL(text);
    if (url.username || url.password) throw refused('must not hold a user name or password');
    if (url.hash) throw refused('must not have a fragment');
    if (url.protocol !== 'https:' && !(url.protocol === 'http:' && allowPrivateTargets && isLoopback(url))) {
      throw refused('must begin with https://');
    }
    const host = hostOf(url);
    if (ipaddr.isValid(host) && denied(host)) throw refused(`must not point to ${host}`, { address: host });
    return url;
  }

  function resolveAll(host: string): Promise<LookupAddress[]> {
    return new Promise((resolve, reject) => {
      dns(host, { all: true, verbatim: true }, (error, addresses) => {
        if (error) return reject(error);
        const bad = addresses.find(({ address }) => denied(address));
        // One bad address spoils the name: which of them is connected to is not ours to choose later.
        if (bad) reject(refused(`must not point to ${bad.address}`, { address: bad.address }));
        else resolve(addresses);
      });
    });
  }

  async function resolve(url: URL): Promise<void> {
    const host = hostOf(url);
    if (ipaddr.isValid(host)) return;
    try {
      await resolveAll(host);
    } catch (error) {
      if (error instanceof TidegateError) throw error;
      if ((error as NodeJS.ErrnoException).code === 'ENOTFOUND')
        throw refused(`names an unknown host, ${host}`);
      throw new TidegateError('UNAVAILABLE', `${host} cannot be resolved at the moment.`, { cause: error });
    }
  }

  const lookup: LookupFunction = (host, options, callback) => {
    resolveAll(host).then(
      (addresses) => {
        if (options.all) return callback(null, addresses);
        const family = options.family === 4 || options.family === 6 ? options.family : undefined;
        const chosen = addresses.find((each) => !family || each.family === family) ?? addresses[0]!;
        callback(null, chosen.address, chosen.family);
      },
      (error: Error) => callback(error, []),
    );
  };

  return { parseUrl, resolve, lookup };
}

/** Public unicast only. IPv4 inside IPv6 is judged as what it is; tunnels and translations are not unicast. */
function isAllowed(address: string, allowPrivate: boolean): boolean {
  // A zone (`fe80::1%eth0`) is never public.
  if (!ipaddr.isValid(address) || address.includes('%')) return false;
  const parsed = ipaddr.process(address);
  if (parsed.toString() === AZURE_HOST) return false;
  const range = parsed.range();
  return range === 'unicast' || (allowPrivate && PRIVATE_RANGES.includes(range));
}

function isLoopback(url: URL): boolean {
  const host = hostOf(url);
  if (host === 'localhost') return true;
  return ipaddr.isValid(host) && ipaddr.process(host).range() === 'loopback';
}

/** Without the brackets of an IPv6 literal. `new URL` has normalised decimal, octal and hexadecimal hosts. */
function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '');
}

function refused(why: string, details: Record<string, unknown> = {}): TidegateError {
  return new TidegateError('BAD_USER_INPUT', `\`url\` ${why}.`, { details: { field: 'url', ...details } });
}
