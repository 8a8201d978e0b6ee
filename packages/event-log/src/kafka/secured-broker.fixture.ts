import { spawn, type ChildProcess, execFile } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { silentLogger } from '@tidegate/runtime/telemetry';
import { freePorts, temporaryDirectory, until } from '@tidegate/testing';
import { createKafkaEventLog } from '../kafka.ts';

const run = promisify(execFile);
const jvm = ['-Xmx256m', '-Xms96m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
const MODULE = 'org.apache.kafka.common.security';

/** User of the SASL listener and its password, for every mechanism with a password. */
export const USER = { username: 'shop', password: 'a password of the shop' };

/**
 * One broker that takes nobody without a login: a listener with SASL over TLS, a listener that asks for a client
 * certificate, certificates of an authority of its own, ACLs on. Administrators use a plain listener.
 */
export class SecuredBroker implements AsyncDisposable {
  readonly #libs: string;
  readonly #directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  readonly #ports: readonly number[];
  #child: ChildProcess | undefined;
  readonly #kill = (): void => void this.#child?.kill('SIGKILL');

  private constructor(
    libs: string,
    directory: Awaited<ReturnType<typeof temporaryDirectory>>,
    ports: readonly number[],
  ) {
    this.#libs = libs;
    this.#directory = directory;
    this.#ports = ports;
    process.on('exit', this.#kill);
  }

  /**
   * @param libs folder with Kafka's jars.
   * @param hostName name that the broker's certificate is for. It is reached at 127.0.0.1.
   */
  static async start(libs: string, hostName: string): Promise<SecuredBroker> {
    const directory = await temporaryDirectory('tidegate-kafka-');
    const broker = new SecuredBroker(libs, directory, await freePorts(4));
    try {
      await broker.#createCertificates(hostName);
      await broker.#format();
      broker.#spawn();
      await broker.#ready();
      return broker;
    } catch (error) {
      await broker[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Address of the listener with SASL over TLS. */
  get saslAddress(): string {
    return `127.0.0.1:${this.#ports[0]}`;
  }

  /** Address of the listener that asks for a client certificate. */
  get certificateAddress(): string {
    return `127.0.0.1:${this.#ports[1]}`;
  }

  /** Address of the administrators' listener. */
  get adminAddress(): string {
    return `127.0.0.1:${this.#ports[2]}`;
  }

  /** Path of a PEM file: `ca.pem`, `client.pem`, `client.key`. */
  path(name: string): string {
    return join(this.#directory.path, name);
  }

  pem(name: string): string {
    return readFileSync(this.path(name), 'utf8');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    process.off('exit', this.#kill);
    const child = this.#child;
    if (child && child.exitCode === null && child.signalCode === null) {
      const closed = once(child, 'close');
      child.kill('SIGKILL');
      await closed;
    }
    await this.#directory.remove();
  }

  async #createCertificates(hostName: string): Promise<void> {
    const inFolder = { cwd: this.#directory.path };
    const openssl = (...args: string[]) => run('openssl', args, inFolder);
    const key = ['-newkey', 'rsa:2048', '-nodes'];
    await openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=Shop CA');
    for (const [name, subject] of [
      ['broker', hostName],
      ['client', 'robot'],
    ] as const) {
      await openssl(
        'req',
        ...key,
        '-keyout',
        `${name}.key`,
        '-out',
        `${name}.csr`,
        '-subj',
        `/CN=${subject}`,
      );
      writeFileSync(this.path(`${name}.ext`), `subjectAltName=DNS:${subject}\n`);
      const signing = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', `${name}.ext`];
      await openssl('x509', '-req', '-in', `${name}.csr`, ...signing, '-out', `${name}.pem`, '-days', '2');
    }
  }

  async #format(): Promise<void> {
    const tool = [...jvm, '-cp', join(this.#libs, '*'), 'kafka.tools.StorageTool'];
    writeFileSync(this.path('broker.properties'), this.#properties());
    const { stdout } = await run('java', [...tool, 'random-uuid']);
    const cluster = stdout.trim().split('\n').at(-1) as string;
    const users = ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => [
      '--add-scram',
      `${mechanism}=[name=${USER.username},password="${USER.password}"]`,
    ]);
    await run('java', [...tool, 'format', '-t', cluster, '-c', this.path('broker.properties'), ...users]);
  }

  #spawn(): void {
    const command = [...jvm, '-cp', join(this.#libs, '*'), 'kafka.Kafka', this.path('broker.properties')];
    const child = spawn('java', command, { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => appendFileSync(this.path('broker.log'), chunk));
    this.#child = child;
  }

  async #ready(): Promise<void> {
    const log = createKafkaEventLog({
      brokers: [this.adminAddress],
      clientId: 'fixture',
      logger: silentLogger,
    });
    const look = (): Promise<boolean> => log.ping(1_000).then(() => true);
    await until(look, { what: 'the secured broker', timeoutMs: 60_000, everyMs: 200 });
    await log.close();
  }

  #properties(): string {
    const [sasl, certificate, admin, controller] = this.#ports.map((port) => `127.0.0.1:${port}`);
    const module = (name: string, options: string): string => `${MODULE}.${name} required ${options};`;
    const login = `username="${USER.username}" password="${USER.password}"`;
    return Object.entries({
      'process.roles': 'broker,controller',
      'node.id': 1,
      'controller.quorum.voters': `1@${controller}`,
      listeners: `SASL://${sasl},CERTIFICATE://${certificate},ADMIN://${admin},CONTROLLER://${controller}`,
      'advertised.listeners': `SASL://${sasl},CERTIFICATE://${certificate},ADMIN://${admin}`,
      'controller.listener.names': 'CONTROLLER',
      'inter.broker.listener.name': 'ADMIN',
      'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,ADMIN:PLAINTEXT,SASL:SASL_SSL,CERTIFICATE:SSL',
      'ssl.keystore.type': 'PEM',
      'ssl.keystore.certificate.chain': onOneLine(this.pem('broker.pem')),
      'ssl.keystore.key': onOneLine(this.pem('broker.key')),
      'ssl.truststore.type': 'PEM',
      'ssl.truststore.certificates': onOneLine(this.pem('ca.pem')),
      'listener.name.certificate.ssl.client.auth': 'required',
      'ssl.principal.mapping.rules': 'RULE:^CN=([^,]+).*$/$1/',
      'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER',
      'listener.name.sasl.plain.sasl.jaas.config': module(
        'plain.PlainLoginModule',
        `${login} user_${USER.username}="${USER.password}"`,
      ),
      'listener.name.sasl.scram-sha-256.sasl.jaas.config': module('scram.ScramLoginModule', login),
      'listener.name.sasl.scram-sha-512.sasl.jaas.config': module('scram.ScramLoginModule', login),
      // The broker's validator of unsigned tokens, which it has for tests.
      'listener.name.sasl.oauthbearer.sasl.jaas.config': module(
        'oauthbearer.OAuthBearerLoginModule',
        `unsecuredLoginStringClaim_sub="${USER.username}"`,
      ),
      // Sessions of a login end soon: clients have to log in again on a connection that is in use.
      'connections.max.reauth.ms': 12_000,
      'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
      'super.users': 'User:ANONYMOUS',
      'allow.everyone.if.no.acl.found': false,
      'log.dirs': join(this.#directory.path, 'data'),
      'auto.create.topics.enable': false,
      'offsets.topic.replication.factor': 1,
      'offsets.topic.num.partitions': 2,
      'transaction.state.log.replication.factor': 1,
      'transaction.state.log.min.isr': 1,
      'share.coordinator.state.topic.replication.factor': 1,
      'share.coordinator.state.topic.min.isr': 1,
      'group.initial.rebalance.delay.ms': 0,
      'log.cleaner.dedupe.buffer.size': 16_777_216,
    })
      .map(([name, value]) => `${name}=${value}`)
      .join('\n');
  }
}

/** A line break of a value in a properties file, which the file's reader turns into one again. */
function onOneLine(pem: string): string {
  return pem.trim().replaceAll('\n', '\\n');
}
