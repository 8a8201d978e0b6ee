/** Promise: a broker that wants TLS and a login is used like any other, and a refusal says what is wrong. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { silentLogger } from '@tidegate/runtime/telemetry';
import { parseConfig } from '@tidegate/runtime/config';
import { kafkaLibsFromEnv, until } from '@tidegate/testing';
import {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  Kafka,
  logLevel,
  ResourcePatternTypes,
} from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EventLog } from './event-log.ts';
import { createKafkaEventLog, kafkaOptionsFrom, kafkaSettings, type KafkaLogin } from './kafka.ts';
import { SecuredBroker, USER } from './kafka/secured-broker.fixture.ts';

const libs = kafkaLibsFromEnv();
if (!libs) console.warn('SKIPPED: a broker with TLS and logins; KAFKA_LIBS is not set');

const HOST = 'kafka.shop.example';

/** A token without a signature, as the broker's validator for tests takes it. */
function unsignedToken(): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const nowS = Date.now() / 1000;
  return `${part({ alg: 'none' })}.${part({ sub: USER.username, iat: nowS, exp: nowS + 600 })}.`;
}

describe.skipIf(!libs)('a broker with TLS, logins and ACLs', { timeout: 60_000 }, () => {
  let broker: SecuredBroker;

  beforeAll(async () => {
    broker = await SecuredBroker.start(libs!, HOST);
    const kafka = new Kafka({ brokers: [broker.adminAddress], logLevel: logLevel.NOTHING });
    const admin = kafka.admin();
    await admin.connect();
    const topics = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER', 'settings', 'certificate'];
    await admin.createTopics({
      topics: [
        ...topics.map((name) => ({ topic: `shop.${name}`, numPartitions: 2 })),
        { topic: 'forbidden', numPartitions: 1 },
      ],
    });
    const permit = (principal: string, resourceType: AclResourceTypes, resourceName: string) => ({
      principal: `User:${principal}`,
      host: '*',
      resourceType,
      resourceName,
      resourcePatternType: ResourcePatternTypes.PREFIXED,
      operation: AclOperationTypes.ALL,
      permissionType: AclPermissionTypes.ALLOW,
    });
    await admin.createAcls({
      acl: [USER.username, 'robot'].flatMap((principal) => [
        permit(principal, AclResourceTypes.TOPIC, 'shop.'),
        permit(principal, AclResourceTypes.GROUP, 'shop.'),
      ]),
    });
    await admin.disconnect();
  }, 90_000);
  afterAll(() => broker?.[Symbol.asyncDispose]());

  /** Appends, tails and consumes in a group, across the end of a login's session. */
  async function roundTrip(log: EventLog, topic: string, forMs = 0): Promise<void> {
    const [tailed, grouped]: [string[], string[]] = [[], []];
    const tail = await log.tail({
      topics: [topic],
      from: 'end',
      onRecords: (records) => void tailed.push(...records.map(({ key }) => key)),
    });
    const consumption = await log.consume({
      group: `readers-${topic}`,
      topics: [topic],
      handler: async ({ records }) => void grouped.push(...records.map(({ key }) => key)),
    });
    const sent: string[] = [];
    const append = async (): Promise<void> => {
      const key = `key-${sent.length}`;
      await log.append(topic, [{ key, value: Buffer.from('x'), headers: {} }]);
      sent.push(key);
    };
    await append();
    for (const untilMs = Date.now() + forMs; Date.now() < untilMs;) {
      await append();
      await until(() => tailed.length === sent.length, { what: 'the tail' });
    }
    await until(() => tailed.length === sent.length && grouped.length === sent.length, {
      what: 'the tail and the group',
      timeoutMs: 20_000,
    });
    expect([tailed.toSorted(), grouped.toSorted()]).toEqual([sent.toSorted(), sent.toSorted()]);
    await consumption.stop();
    await tail.stop();
  }

  const logins: KafkaLogin[] = [
    { mechanism: 'PLAIN', ...USER },
    { mechanism: 'SCRAM-SHA-256', ...USER },
    { mechanism: 'SCRAM-SHA-512', ...USER },
    { mechanism: 'OAUTHBEARER', token: async () => unsignedToken() },
  ];

  const open = (login: KafkaLogin | undefined, serverName: string | undefined = HOST): EventLog =>
    createKafkaEventLog({
      brokers: [broker.saslAddress],
      clientId: 'secured',
      logger: silentLogger,
      topicPrefix: 'shop.',
      groupPrefix: 'shop.',
      tls: { ca: broker.pem('ca.pem'), serverName },
      login,
      requestTimeoutMs: 3_000,
    });

  it('takes a login by each mechanism, and one again when its session ends', async () => {
    const useOne = async (login: KafkaLogin): Promise<void> => {
      const log = open(login);
      // A session takes 12 s. One client logs in again 10 s before its end, the other after four fifths of it.
      await roundTrip(log, login.mechanism, 11_000);
      await log.close();
    };
    await Promise.all(logins.map(useOne));
  });

  it('takes a client by its certificate', async () => {
    const log = createKafkaEventLog({
      brokers: [broker.certificateAddress],
      clientId: 'secured',
      logger: silentLogger,
      topicPrefix: 'shop.',
      groupPrefix: 'shop.',
      tls: {
        ca: broker.pem('ca.pem'),
        cert: broker.pem('client.pem'),
        key: broker.pem('client.key'),
        serverName: HOST,
      },
    });
    await roundTrip(log, 'certificate');
    await log.close();
  });

  it('is reached by environment variables, with tokens of an authorization server', async () => {
    const requests: string[] = [];
    const server = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += String(chunk);
      requests.push(`${request.headers.authorization} ${body}`);
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ access_token: unsignedToken(), expires_in: 600 }));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const config = parseConfig(kafkaSettings, {
      KAFKA_BROKERS: broker.saslAddress,
      KAFKA_TOPIC_PREFIX: 'shop.',
      KAFKA_GROUP_PREFIX: 'shop.',
      KAFKA_CA_FILE: broker.path('ca.pem'),
      KAFKA_SERVER_NAME: HOST,
      KAFKA_COMPRESSION: 'zstd',
      KAFKA_SASL_MECHANISM: 'OAUTHBEARER',
      KAFKA_OAUTH_TOKEN_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`,
      KAFKA_OAUTH_CLIENT_ID: 'shop',
      KAFKA_OAUTH_CLIENT_SECRET: 'a:secret',
      KAFKA_OAUTH_SCOPE: 'kafka',
    });
    const log = createKafkaEventLog({
      clientId: 'secured',
      logger: silentLogger,
      ...kafkaOptionsFrom(config),
    });
    await roundTrip(log, 'settings');
    await log.close();
    server.close();
    const credentials = Buffer.from('shop:a%3Asecret').toString('base64');
    expect(requests).toEqual([`Basic ${credentials} grant_type=client_credentials&scope=kafka`]);
  });

  it.each<[string, () => EventLog, RegExp]>([
    [
      'a wrong password',
      () => open({ mechanism: 'PLAIN', ...USER, password: 'wrong' }),
      /refuses the login: .*Invalid username or password/,
    ],
    ['a client without a login', () => open(undefined), /cannot be reached/],
    [
      'to be taken for a host of another name',
      () => open(logins[0], 'other.example'),
      /certificate is not accepted: .*other\.example/,
    ],
    [
      'a client without TLS',
      () => createKafkaEventLog({ brokers: [broker.saslAddress], clientId: 'secured', logger: silentLogger }),
      /wants TLS/,
    ],
  ])('refuses %s, and the error says so', async (_name, create, expected) => {
    const log = create();
    await expect(log.ping(5_000)).rejects.toThrow(expected);
    await log.close();
  });

  it('refuses a topic without an ACL: the error names it', async () => {
    const log = createKafkaEventLog({
      brokers: [broker.saslAddress],
      clientId: 'secured',
      logger: silentLogger,
      tls: { ca: broker.pem('ca.pem'), serverName: HOST },
      login: logins[0],
    });
    await expect(log.append('forbidden', [{ key: 'a', value: null, headers: {} }])).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: "Kafka's ACLs do not permit this client forbidden: TOPIC_AUTHORIZATION_FAILED.",
    });
    await log.close();
  });
});
