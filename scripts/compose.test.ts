import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '@tidegate/testing';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { securityProperties } from './stack/kafka-security.ts';
import { addressVariables, processes, variableNames } from './processes.ts';

interface Container {
  image?: string;
  build?: unknown;
  command?: string[];
  ports?: string[];
  volumes?: string[];
  environment?: Record<string, string | number>;
  env_file?: { path: string; required: boolean }[];
  healthcheck?: { test?: string[] };
  depends_on?: string[] | Record<string, { condition: string }>;
  restart?: string;
}

interface Compose {
  services: Record<string, Container>;
  volumes: Record<string, unknown>;
}

const read = (path: string): unknown =>
  parse(readFileSync(join(repositoryRoot, path), 'utf8'), { merge: true });
const compose = read('docker-compose.yml') as Compose;
const containers = Object.entries(compose.services);
const container = (name: string): Container => compose.services[name] ?? {};

describe('docker-compose.yml', () => {
  it('names the same processes as start:stack', () => {
    const built = containers.filter(([, { build }]) => build !== undefined).map(([name]) => name);
    expect(built.toSorted()).toEqual(processes.map(({ name }) => name).toSorted());
  });

  it('has a variant with TLS and a login, with the settings of the native stack', () => {
    const secured = read('docker-compose.sasl-ssl.yml') as Compose;
    const { kafka, ...apps } = secured.services;
    const users = processes.filter(({ variables }) => variables.includes('KAFKA_BROKERS'));
    expect(Object.keys(apps).toSorted()).toEqual(users.map(({ name }) => name).toSorted());
    const security = {
      caFile: '/etc/kafka-security/ca.pem',
      keystoreFile: '/etc/kafka-security/keystore.pem',
      username: '${KAFKA_SASL_USERNAME}',
      password: '${KAFKA_SASL_PASSWORD}',
    };
    // The image turns KAFKA_SSL_KEYSTORE_TYPE into ssl.keystore.type.
    const variable = (property: string) => `KAFKA_${property.replaceAll('.', '_').toUpperCase()}`;
    const { 'sasl.mechanism.inter.broker.protocol': _, ...native } = securityProperties('SECURE', security);
    for (const [property, value] of Object.entries(native))
      expect(kafka?.environment?.[variable(property)], property).toBe(value);
    for (const app of Object.values(apps))
      expect(app.environment).toEqual({ KAFKA_BROKERS: 'kafka:9094', KAFKA_CA_FILE: security.caFile });
  });

  it.each(['gateway-web', 'gateway-mobile'])('takes further variables of %s from gateway.env', (name) => {
    expect(container(name).env_file).toContainEqual({ path: 'gateway.env', required: false });
  });

  it('takes further variables of every process that uses Kafka from kafka.env', () => {
    for (const { name, variables } of processes) {
      const files = container(name).env_file?.map(({ path }) => path) ?? [];
      expect(files.includes('kafka.env'), name).toBe(variables.includes('KAFKA_BROKERS'));
    }
  });

  describe.each(processes)('$name', (spec) => {
    const { command, ports, environment = {}, healthcheck, restart } = container(spec.name);

    it('runs the same entry file', () => expect(command).toEqual(['node', spec.entry]));

    it('listens on the same port', () => {
      expect(environment['PORT']).toBe(spec.port);
      expect(ports?.map((mapping) => mapping.split(':').slice(-2))).toEqual([
        [`${spec.port}`, `${spec.port}`],
      ]);
    });

    it('has the same variables', () => {
      expect(Object.keys(environment).toSorted()).toEqual(variableNames(spec));
      expect(environment).toMatchObject(spec.settings);
    });

    it('has the addresses of the other processes', () => {
      for (const [variable, target] of Object.entries(addressVariables)) {
        const port = processes.find(({ name }) => name === target)?.port;
        if (variable in environment) expect(environment[variable]).toBe(`http://${target}:${port}`);
      }
    });

    it('has a health check and restarts when it dies', () => {
      expect(healthcheck?.test).toEqual(['CMD', 'node', 'deploy/healthcheck.mjs']);
      expect(restart).toBe('unless-stopped');
    });

    it('is scraped by Prometheus', () => {
      const prometheus = read('deploy/prometheus.yml') as {
        scrape_configs: { static_configs: { targets: string[] }[] }[];
      };
      const targets = prometheus.scrape_configs.flatMap((job) =>
        job.static_configs.flatMap((part) => part.targets),
      );
      expect(targets).toContain(`${spec.name}:${spec.port}`);
    });
  });

  it.each(['kafka', 'redis', 'postgres'])('has a health check for %s', (name) => {
    expect(container(name).healthcheck?.test?.[0]).toBe('CMD');
  });

  it('depends only on existing services, and on health only where there is a health check', () => {
    for (const [name, { depends_on = {} }] of containers) {
      const waits = Array.isArray(depends_on)
        ? depends_on.map((other) => [other, {}] as const)
        : Object.entries(depends_on);
      for (const [other, { condition }] of waits as [string, { condition?: string }][]) {
        expect(compose.services, `${name} waits for ${other}`).toHaveProperty([other]);
        if (condition === 'service_healthy') expect(container(other), other).toHaveProperty('healthcheck');
      }
    }
  });

  it('mounts only declared volumes and existing files, and declares no other volume', () => {
    const sources = containers.flatMap(([, { volumes = [] }]) =>
      volumes.map((volume) => volume.split(':')[0] ?? ''),
    );
    const files = sources.filter((source) => source.startsWith('./'));
    expect(files.filter((file) => !existsSync(join(repositoryRoot, file)))).toEqual([]);
    const named = sources.filter((source) => !source.startsWith('./'));
    expect(named.toSorted()).toEqual(Object.keys(compose.volumes).toSorted());
  });

  it('contains no secret: signing keys come from the environment', () => {
    const { JWT_SECRET, CURSOR_SECRETS, WEBHOOK_KEYS, SERVICE_SECRETS } =
      container('gateway-web').environment ?? {};
    for (const value of [JWT_SECRET, CURSOR_SECRETS, WEBHOOK_KEYS, SERVICE_SECRETS])
      expect(value).toMatch(/^\$\{\w+:\?/);
  });
});
