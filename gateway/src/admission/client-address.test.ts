import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { createClientAddresses } from './client-address.ts';

const request = (remoteAddress: string, forwardedFor?: string): IncomingMessage =>
  ({
    socket: { remoteAddress },
    headers: forwardedFor === undefined ? {} : { 'x-forwarded-for': forwardedFor },
  }) as unknown as IncomingMessage;

describe('the address of a client', () => {
  const proxies = createClientAddresses(['10.0.0.0/8', 'fd00::/8']);

  it.each<[string, string, string | undefined, string]>([
    ['is the address of the socket without a proxy', '192.0.2.1', undefined, '192.0.2.1'],
    ['ignores the header of a client', '192.0.2.1', '198.51.100.7', '192.0.2.1'],
    ['is the address that a trusted proxy appended', '10.1.2.3', '198.51.100.7', '198.51.100.7'],
    [
      'ignores addresses that the client sent to the proxy',
      '10.1.2.3',
      '1.1.1.1, 198.51.100.7',
      '198.51.100.7',
    ],
    ['is found behind several trusted proxies', '10.1.2.3', '198.51.100.7, 10.9.9.9', '198.51.100.7'],
    ['is the address of the last proxy when the header holds no address', '10.1.2.3', 'unknown', '10.1.2.3'],
    ['is the same over an IPv6 socket', '::ffff:10.1.2.3', '198.51.100.7', '198.51.100.7'],
    ['is a /64 of IPv6', '10.1.2.3', '2001:db8:0:7::1', '2001:db8:0:7::/64'],
    ['is the same /64 in every notation', '2001:0db8::7:1:2:3:4', undefined, '2001:db8:0:7::/64'],
  ])('%s', (_title, remote, forwarded, expected) => {
    expect(proxies.of(request(remote, forwarded))).toBe(expected);
  });

  it('ignores all headers without trusted proxies', () => {
    expect(createClientAddresses([]).of(request('10.1.2.3', '198.51.100.7'))).toBe('10.1.2.3');
  });

  it('is undefined for the socket of a trusted proxy', () => {
    expect(proxies.ofSocket({ remoteAddress: '::ffff:10.1.2.3' })).toBeUndefined();
    expect(proxies.ofSocket({ remoteAddress: '192.0.2.1' })).toBe('192.0.2.1');
  });
});
