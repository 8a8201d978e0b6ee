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
      details: { field: 'url', address: '10.1.2.3' },
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
    await expect(connect(rebound)).rejects.toMatchObject({ details: { address: '127.0.0.1' } });
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
