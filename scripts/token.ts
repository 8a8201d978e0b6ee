import { parseArgs } from 'node:util';
import { devSecret } from '@tidegate/runtime/dev-secret';
import { signToken, parseTtl, roles, type Role } from './token/sign-token.ts';

const help = `npm run token -- --sub SUBJECT [--role ${roles.join('|')}] [--ttl 1h] [--customers ID,ID]

Prints a development JWT (HS256; claims sub, role, iss and aud "tidegate", exp), and nothing else.

  --sub   subject, e.g. customer-1
  --role  customer (default) sees its own orders, operator all, partner those of --customers
  --customers  ids of the customers granted to a partner, separated by commas; default none
  --ttl   time to live: a number with s, m, h or d; default 1h

It is signed with JWT_SECRET, or with the development secret in DATA_DIR (default .data) that npm start uses.`;

try {
  await main();
} catch (error) {
  console.error(`token: ${error instanceof Error ? error.message : String(error)}\n\n${help}`);
  process.exitCode = 2;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      sub: { type: 'string' },
      role: { type: 'string', default: 'customer' },
      ttl: { type: 'string', default: '1h' },
      customers: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return console.log(help);
  if (!values.sub) throw new Error('--sub is missing');
  if (!isRole(values.role)) throw new Error(`--role is one of ${roles.join(', ')}, not ${values.role}`);
  const ttlMs = parseTtl(values.ttl);
  const secret = process.env['JWT_SECRET'] || (await devSecret(process.env['DATA_DIR'] || '.data'));
  if (values.customers !== undefined && values.role !== 'partner')
    throw new Error('--customers is for the role partner');
  const customers = values.customers?.split(',');
  console.log(await signToken({ sub: values.sub, role: values.role, ttlMs, secret, customers }));
}

function isRole(value: string): value is Role {
  return (roles as readonly string[]).includes(value);
}
