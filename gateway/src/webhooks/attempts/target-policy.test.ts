import { describe, expect, it } from 'vitest';
import { TargetPolicy, type DnsLookup } from './target-policy.ts';

const resolvingTo =
  (...addresses: string[]): DnsLookup =>
  (_host, _options, callback) =>
    callback(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );

const failingWith =
  (code: string): DnsLookup =>
  (_host, _options, callback) =>
    callback(Object.assign(new Error(code), { code }), []);

const strict = new TargetPolicy({ allowPrivateTargets: false, dns: resolvingTo('93.184.216.34') });
const lenient = new TargetPolicy({ allowPrivateTargets: true, dns: resolvingTo('127.0.0.1') });

describe('the target policy', () => {
  it.each([
    'https://127.0.0.1/',
    'https://2130706433/',
    'https://0x7f.1/',
    'https://0177.0.0.1/',
    'https://10.0.0.1/',
    'https://172.16.9.9/',
    'https://192.168.1.1/',
    'https://100.64.0.1/',
    'https://169.254.169.254/latest/meta-data/',
    'https://168.63.129.16/',
    'https://224.0.0.1/',
    'https://255.255.255.255/',
    'https://0.0.0.0/',
    'https://[::1]/',
    'https://[::]/',
    'https://[fe80::1]/',
    'https://[fd00::1]/',
    'https://[ff02::1]/',
    'https://[::ffff:127.0.0.1]/',
    'https://[::ffff:168.63.129.16]/',
    'https://[64:ff9b::7f00:1]/',
    'https://[2002:7f00:1::]/',
  ])('denies the literal address %s', (url) => {
    expect(() => strict.parseUrl(url)).toThrow(/must not point to/);
  });

  it.each([
    ['not a url', /is not a URL/],
    [`https://example.com/${'x'.repeat(2_000)}`, /is not a URL/],
    ['http://example.com/', /must begin with https/],
    ['ftp://example.com/', /must begin with https/],
    ['file:///etc/passwd', /must begin with https/],
    ['https://user:secret@example.com/', /user name or password/],
    ['https://example.com/#there', /fragment/],
  ])('denies %s', (url, why) => {
    expect(() => strict.parseUrl(url)).toThrow(why);
  });

  it('allows a public https address', async () => {
    const url = strict.parseUrl('https://hooks.example.com:8443/in?x=1');
    expect(url.href).toBe('https://hooks.example.com:8443/in?x=1');
    await expect(strict.resolve(url)).resolves.toBeUndefined();
  });

  it('denies a name when one of its addresses is private', async () => {
    const policy = new TargetPolicy({
      allowPrivateTargets: false,
      dns: resolvingTo('93.184.216.34', '10.1.2.3'),
    });
    await expect(policy.resolve(new URL('https://rebind.example/'))).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
      message: '`url` names a host with an address that is not public.',
      details: { field: 'url' },
    });
  });

  it('fails with BAD_USER_INPUT for an unknown name, with UNAVAILABLE when DNS does not answer', async () => {
    const resolve = (code: string) =>
      new TargetPolicy({ allowPrivateTargets: false, dns: failingWith(code) }).resolve(
        new URL('https://x.example/'),
      );
    await expect(resolve('ENOTFOUND')).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
    await expect(resolve('EAI_AGAIN')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('denies an address when a socket resolves the name again', async () => {
    const connect = (policy: TargetPolicy) =>
      new Promise((resolve, reject) => {
        policy.lookup('rebind.example', { all: true }, (error, addresses) =>
          error ? reject(error) : resolve(addresses),
        );
      });
    await expect(connect(strict)).resolves.toEqual([{ address: '93.184.216.34', family: 4 }]);
    const rebound = new TargetPolicy({ allowPrivateTargets: false, dns: resolvingTo('127.0.0.1') });
    const refusal = connect(rebound);
    await expect(refusal).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
    await expect(refusal).rejects.not.toThrow('127.0.0.1');
  });

  it('with allowPrivateTargets allows only private addresses and http to loopback as well', () => {
    expect(lenient.parseUrl('http://127.0.0.1:9/x').port).toBe('9');
    expect(lenient.parseUrl('http://localhost:9/x').port).toBe('9');
    expect(lenient.parseUrl('http://[::1]:9/x').port).toBe('9');
    expect(lenient.parseUrl('https://10.0.0.1/').hostname).toBe('10.0.0.1');
    expect(() => lenient.parseUrl('http://10.0.0.1/')).toThrow(/https/);
    expect(() => lenient.parseUrl('https://169.254.169.254/')).toThrow(/must not point to/);
    expect(() => lenient.parseUrl('https://168.63.129.16/')).toThrow(/must not point to/);
  });
});

/** Addresses that no partner may name, of networks that only the dispatcher reaches. */
const internalIpv4 = [
  ...['0.0.0.0', '0.1.2.3', '127.0.0.1', '127.255.255.254', '10.0.0.1', '10.255.255.255'],
  ...['172.16.0.1', '172.31.255.255', '192.168.0.1', '192.168.255.255', '100.64.0.1', '100.127.255.255'],
  ...['169.254.169.254', '169.254.0.1', '168.63.129.16', '192.0.0.1', '192.0.2.1', '198.18.0.1'],
  ...['198.51.100.1', '203.0.113.1', '224.0.0.1', '240.0.0.1', '255.255.255.255'],
];

/** Forms of IPv6 that embed an IPv4 address. */
function embeddings(ipv4: string): Record<string, string> {
  const [a, b, c, d] = ipv4.split('.').map(Number) as [number, number, number, number];
  const hex = (high: number, low: number): string => ((high << 8) | low).toString(16);
  const [high, low] = [hex(a, b), hex(c, d)];
  const inverted = `${hex(255 - a, 255 - b)}:${hex(255 - c, 255 - d)}`;
  return {
    'IPv4-mapped': `::ffff:${high}:${low}`,
    'IPv4-mapped, dotted': `::ffff:${ipv4}`,
    'IPv4-compatible': `::${high}:${low}`,
    'IPv4-translated': `::ffff:0:${high}:${low}`,
    '6to4': `2002:${high}:${low}::1`,
    Teredo: `2001:0:4136:e378:8000:63bf:${inverted}`,
    NAT64: `64:ff9b::${high}:${low}`,
    'local NAT64': `64:ff9b:1::${high}:${low}`,
    ISATAP: `2620:1ec:c11:1:0:5efe:${high}:${low}`,
  };
}

describe('an address of an internal network', () => {
  const forms = internalIpv4.flatMap((ipv4) => [
    ['IPv4', ipv4] as const,
    ...Object.entries(embeddings(ipv4)),
  ]);

  it('has at least 150 forms here', () => expect(forms.length).toBeGreaterThanOrEqual(150));

  it.each(forms)(
    'is denied as %s, %s: as a literal, by its name and when a socket connects',
    async (_form, address) => {
      const literal = address.includes(':') ? `[${address}]` : address;
      expect(() => strict.parseUrl(`https://${literal}/`)).toThrow(/must not point to/);
      const policy = new TargetPolicy({ dns: resolvingTo('93.184.216.34', address) });
      await expect(policy.resolve(new URL('https://rebind.example/'))).rejects.toMatchObject({
        code: 'BAD_USER_INPUT',
        details: { field: 'url' },
      });
      const connected = new Promise((resolve, reject) => {
        policy.lookup('rebind.example', { all: true }, (error, addresses) =>
          error ? reject(error) : resolve(addresses),
        );
      });
      await expect(connected).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
    },
  );

  it.each([
    ...['::', '::1', 'fe80::1', 'fec0::1', 'fd00::1', 'fc00::1', 'ff02::1', '100::1', '2001:db8::1'],
    ...['3fff::1', '5f00::1', '4000::1', 'fe80::5efe:a00:1', '2001:20::1', '2001:10::1'],
  ])('is denied as IPv6, %s', (address) => {
    expect(() => strict.parseUrl(`https://[${address}]/`)).toThrow(/must not point to/);
  });

  it.each(['2606:4700::1111', '2a00:1450:4001:82a::200e', '2620:fe::fe'])('is not %s', (address) => {
    expect(strict.parseUrl(`https://[${address}]/`).hostname).toBe(`[${address}]`);
  });

  it.each([
    ...['2130706433', '0x7f000001', '0x7f.0.0.1', '0177.0.0.1', '127.1', '127.0.1', '017700000001'],
    ...['0x7f.1', '0xa.1', '012.0.0.1', '3232235777', '0xc0a80101', '0300.0250.1.1', '１２７.0.0.1'],
  ])('is denied as %s, which URL parsers take for IPv4', (host) => {
    expect(() => strict.parseUrl(`https://${host}/`)).toThrow(/must not point to/);
  });
});
