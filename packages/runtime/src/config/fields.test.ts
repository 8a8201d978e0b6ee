import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import {
  addressRanges,
  flag,
  hostPorts,
  integer,
  listOf,
  oneOf,
  origins,
  port,
  secret,
  text,
  url,
} from './fields.ts';

const fields: [string, z.ZodType, [string, unknown][], string[]][] = [
  [
    'integer',
    integer(1, 10, 'n'),
    [
      ['1', 1],
      ['10', 10],
    ],
    ['0', '11', '1.5', 'one', 'NaN'],
  ],
  [
    'port',
    port(),
    [
      ['0', 0],
      ['65535', 65_535],
    ],
    ['-1', '65536', 'http'],
  ],
  [
    'flag',
    flag('f'),
    [
      ['1', true],
      ['TRUE', true],
      ['on', true],
      ['0', false],
      ['no', false],
    ],
    ['2', 'maybe', '10'],
  ],
  [
    'url',
    url(['http', 'https'], 'u'),
    [['https://a.b/c', 'https://a.b/c']],
    ['a.b', 'ftp://a.b', '/path', 'http://'],
  ],
  [
    'hostPorts',
    hostPorts('h'),
    [
      ['a:1', ['a:1']],
      ['a:1,b.c:22', ['a:1', 'b.c:22']],
    ],
    ['a', 'a:', ':1', 'a:1,', 'a:1, b:2', 'http://a:1'],
  ],
  [
    'listOf',
    listOf(['web', 'mobile'], 'l'),
    [
      ['web', ['web']],
      ['mobile, web', ['mobile', 'web']],
    ],
    ['tv', 'web,', 'web,tv'],
  ],
  ['oneOf', oneOf(['web', 'mobile'], 'o'), [['web', 'web']], ['', 'tv', 'Web', 'web,mobile']],
  ['secret', secret('s'), [['x'.repeat(32), 'x'.repeat(32)]], ['x'.repeat(31)]],
  ['text', text('t'), [['x', 'x']], ['']],
  [
    'addressRanges',
    addressRanges('a'),
    [
      ['10.0.0.0/8', ['10.0.0.0/8']],
      ['127.0.0.1, ::1,fd00::/8', ['127.0.0.1', '::1', 'fd00::/8']],
    ],
    ['proxy', '10.0.0.0/33', '10.0.0.0/', '10.0.0/8', '::1/129', '10.0.0.0/8/8'],
  ],
  [
    'origins',
    origins('o'),
    [
      ['https://shop.example', ['https://shop.example']],
      ['https://a.example, http://localhost:5173', ['https://a.example', 'http://localhost:5173']],
      ['capacitor://localhost,app://-', ['capacitor://localhost', 'app://-']],
      ['chrome-extension://abcdefgh', ['chrome-extension://abcdefgh']],
    ],
    [
      'shop.example',
      'https://shop.example/',
      'https://shop.example:443',
      'https://Shop.example',
      'https://user@shop.example',
      'https://*.shop.example/x',
      '*',
      'null',
      'file://home',
      'capacitor://localhost/x',
      'javascript:alert(1)',
    ],
  ],
];

describe.each(fields)('the field %s', (_name, field, accepted, refused) => {
  it.each(accepted)('reads %j', (given, value) => expect(field.parse(given)).toEqual(value));
  it.each(refused)('refuses %j', (given) => expect(field.safeParse(given).success).toBe(false));
  it('describes its expected value', () => expect(field.description).toBeTruthy());
});
