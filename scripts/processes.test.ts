import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '@tidegate/testing';
import { describe, expect, it } from 'vitest';
import { environmentOf, processes, variableNames } from './processes.ts';

const env = {
  KAFKA_BROKERS: '127.0.0.1:29092',
  DATABASE_URL: 'postgres://127.0.0.1/tidegate',
  REDIS_URL: 'redis://127.0.0.1',
  JWT_SECRET: 'j'.repeat(32),
  CURSOR_SECRETS: 'c'.repeat(32),
  WEBHOOK_KEYS: 'w'.repeat(32),
  SERVICE_SECRETS: 's'.repeat(32),
};
const surroundings = {
  env,
  host: '127.0.0.1',
  urlOf: (name: string) => `http://${name}`,
  portOf: () => 1234,
};

describe('the table of processes', () => {
  it.each(processes)('has an entry file for $name', ({ entry }) => {
    expect(existsSync(join(repositoryRoot, entry)), entry).toBe(true);
  });

  it('gives every process a name and a port of its own', () => {
    expect(new Set(processes.map(({ name }) => name)).size).toBe(processes.length);
    expect(new Set(processes.map(({ port }) => port)).size).toBe(processes.length);
  });

  it.each(processes)('gives $name the variables it names and no other', (spec) => {
    const given = environmentOf(spec, {
      ...surroundings,
      env: { ...env, OTEL_EXPORTER_OTLP_ENDPOINT: 'http://otel' },
    });
    expect(Object.keys(given).toSorted()).toEqual(variableNames(spec));
  });

  it('passes every documented variable on to a process that reads it', () => {
    const page = readFileSync(join(repositoryRoot, 'docs/operations.md'), 'utf8');
    const rows = page.split('\n').filter((line) => /^\| `[A-Z]/.test(line));
    const documented = rows.flatMap((line) =>
      [...line.split('|')[1]!.matchAll(/`([A-Z_]+)`/g)].map(([, name]) => name!),
    );
    const read = new Set(processes.flatMap((spec) => [...variableNames(spec), ...spec.optional]));
    // Of `npm start` alone, and what cannot be the same for all processes of a machine.
    const notPassed = [
      'OPERATIONS_PORT',
      'DATA_DIR',
      'DEMO_MAX_DATA_MB',
      'EVENT_LOG_MAX_MB',
      'DURABILITY',
      'DEV_LOGIN',
    ];
    expect(documented.length).toBeGreaterThan(60);
    expect(documented.filter((name) => !read.has(name))).toEqual(notPassed);
  });

  it('passes a variable on to the processes that read it, and to no other', () => {
    const given = {
      ...env,
      JWT_ISSUER: 'https://issuer.example',
      SHIPPING_DISPATCH_MS: '5',
      KEEP_ALIVE_TIMEOUT_MS: '9',
      KAFKA_SASL_MECHANISM: 'PLAIN',
    };
    const holders = (variable: string): string[] =>
      processes
        .filter((spec) => variable in environmentOf(spec, { ...surroundings, env: given }))
        .map(({ name }) => name);
    expect(holders('JWT_ISSUER')).toEqual(['gateway-web', 'gateway-mobile']);
    expect(holders('SHIPPING_DISPATCH_MS')).toEqual(['shipping']);
    expect(holders('KAFKA_SASL_MECHANISM')).toEqual(holders('KAFKA_BROKERS'));
    expect(holders('KEEP_ALIVE_TIMEOUT_MS')).toHaveLength(processes.length);
  });

  it.each(['JWT_SECRET', 'CURSOR_SECRETS'] as const)('gives %s to the gateways only', (secret) => {
    const holders = processes.filter(({ variables }) => variables.includes(secret)).map(({ name }) => name);
    expect(holders).toEqual(['gateway-web', 'gateway-mobile']);
  });

  it('names the variable that the surroundings lack', () => {
    const orders = processes.find(({ name }) => name === 'orders');
    expect(() => environmentOf(orders!, { ...surroundings, env: {} })).toThrow('orders needs KAFKA_BROKERS');
  });
});
