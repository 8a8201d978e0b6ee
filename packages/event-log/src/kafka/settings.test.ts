import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseConfig } from '@tidegate/runtime/config';
import { afterAll, describe, expect, it } from 'vitest';
import { kafkaOptionsFrom, kafkaSettings, type KafkaEnvironmentOptions } from './settings.ts';

const folder = mkdtempSync(join(tmpdir(), 'kafka-settings-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const PEM = '-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n';
const ca = file('ca.pem', PEM);
const der = file('ca.der', '0');

function optionsOf(variables: Record<string, string>): KafkaEnvironmentOptions {
  return kafkaOptionsFrom(parseConfig(kafkaSettings, { KAFKA_BROKERS: 'kafka:9092', ...variables }));
}

describe('the variables of Kafka', () => {
  it('connect in clear text and without a login by default', () => {
    expect(optionsOf({})).toEqual({
      brokers: ['kafka:9092'],
      createTopics: true,
      compression: 'none',
    });
  });

  it.each<[string, Record<string, string>, object]>([
    ['TLS', { KAFKA_TLS: '1' }, { tls: {} }],
    ['TLS by a file', { KAFKA_CA_FILE: ca }, { tls: { ca: PEM } }],
    ['TLS by a name', { KAFKA_SERVER_NAME: 'kafka.example' }, { tls: { serverName: 'kafka.example' } }],
    [
      'a client certificate',
      { KAFKA_CERT_FILE: ca, KAFKA_KEY_FILE: ca, KAFKA_KEY_PASSPHRASE: 'open' },
      { tls: { cert: PEM, key: PEM, passphrase: 'open' } },
    ],
    [
      'a login',
      { KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512', KAFKA_SASL_USERNAME: 'shop', KAFKA_SASL_PASSWORD: 'p' },
      { login: { mechanism: 'SCRAM-SHA-512', username: 'shop', password: 'p' } },
    ],
    [
      'names',
      { KAFKA_TOPIC_PREFIX: 'eu.', KAFKA_GROUP_PREFIX: 'eu-', KAFKA_CLIENT_ID: 'edge', KAFKA_RACK: 'a' },
      { topicPrefix: 'eu.', groupPrefix: 'eu-', clientId: 'edge', rack: 'a' },
    ],
    [
      'topics and codec',
      { KAFKA_CREATE_TOPICS: '0', KAFKA_COMPRESSION: 'lz4' },
      { createTopics: false, compression: 'lz4' },
    ],
  ])('set %s', (_name, variables, expected) => expect(optionsOf(variables)).toMatchObject(expected));

  it.each<[Record<string, string>, string]>([
    [{ KAFKA_CA_FILE: '/none/ca.pem' }, 'KAFKA_CA_FILE names /none/ca.pem, which cannot be read'],
    [{ KAFKA_CA_FILE: der }, `KAFKA_CA_FILE names ${der}, which is not in PEM`],
    [{ KAFKA_CERT_FILE: ca }, 'KAFKA_CERT_FILE and KAFKA_KEY_FILE are set together'],
    [{ KAFKA_TLS: '0', KAFKA_CA_FILE: ca }, 'KAFKA_TLS is 0, and variables for TLS are set'],
    [{ KAFKA_SASL_PASSWORD: 'p' }, 'KAFKA_SASL_MECHANISM is not'],
    [
      { KAFKA_SASL_MECHANISM: 'PLAIN', KAFKA_SASL_USERNAME: 'u' },
      'KAFKA_SASL_MECHANISM is PLAIN, and KAFKA_SASL_PASSWORD is not set',
    ],
    [{ KAFKA_SASL_MECHANISM: 'OAUTHBEARER' }, 'KAFKA_OAUTH_TOKEN_URL is not set'],
    [{ KAFKA_SASL_MECHANISM: 'AWS_MSK_IAM' }, 'KAFKA_AWS_REGION is not set'],
    [{ KAFKA_SASL_MECHANISM: 'GSSAPI' }, 'one of PLAIN, SCRAM-SHA-256'],
  ])('refuse %j', (variables, message) => {
    expect(() => optionsOf(variables)).toThrow(message);
  });

  it('sign tokens for Amazon MSK with the credentials that AWS’s SDK finds', async () => {
    process.env['AWS_ACCESS_KEY_ID'] = 'AKIDEXAMPLE';
    process.env['AWS_SECRET_ACCESS_KEY'] = 'an example';
    try {
      const { login } = optionsOf({ KAFKA_SASL_MECHANISM: 'AWS_MSK_IAM', KAFKA_AWS_REGION: 'eu-central-1' });
      if (login?.mechanism !== 'OAUTHBEARER') throw new Error(`not ${login?.mechanism}`);
      const url = new URL(Buffer.from(await login.token(), 'base64url').toString());
      expect(url.host).toBe('kafka.eu-central-1.amazonaws.com');
      expect(url.searchParams.get('X-Amz-Credential')).toMatch(
        /^AKIDEXAMPLE\/\d+\/eu-central-1\/kafka-cluster\//,
      );
    } finally {
      delete process.env['AWS_ACCESS_KEY_ID'];
      delete process.env['AWS_SECRET_ACCESS_KEY'];
    }
  });
});
