import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runProgram } from './run-program.ts';

const USER = 'tidegate';
const VALID_DAYS = '3650';
/** Names under which the broker is reached: natively, and in Docker Compose. */
const BROKER_NAMES = 'subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:kafka';

/** A listener with SASL over TLS: its certificates in a folder, and its one user. */
export interface KafkaSecurity {
  /** PEM file of the authority that signed the broker's certificate. */
  readonly caFile: string;
  /** PEM file of the broker's private key and certificate. */
  readonly keystoreFile: string;
  readonly username: string;
  readonly password: string;
}

/**
 * Returns the security of a development broker. Creates an authority, the broker's certificate and a password on first
 * use; they stay the same from then on.
 *
 * @param directory folder of the files.
 */
export async function kafkaSecurity(directory: string): Promise<KafkaSecurity> {
  const folder = join(directory, 'kafka-security');
  if (!existsSync(folder)) await createCertificates(folder);
  return {
    caFile: join(folder, 'ca.pem'),
    keystoreFile: join(folder, 'keystore.pem'),
    username: USER,
    password: readFileSync(join(folder, 'password'), 'utf8'),
  };
}

/** Returns the variables with which processes connect to this broker. */
export function securityVariables(security: KafkaSecurity): Record<string, string> {
  return {
    KAFKA_CA_FILE: security.caFile,
    KAFKA_SASL_MECHANISM: 'PLAIN',
    KAFKA_SASL_USERNAME: security.username,
    KAFKA_SASL_PASSWORD: security.password,
  };
}

/** Returns the broker's settings of a listener of this name. */
export function securityProperties(listener: string, security: KafkaSecurity): Record<string, string> {
  const { username, password, keystoreFile, caFile } = security;
  const login = `username="${username}" password="${password}" user_${username}="${password}"`;
  const module = 'org.apache.kafka.common.security.plain.PlainLoginModule';
  return {
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': keystoreFile,
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': caFile,
    'sasl.enabled.mechanisms': 'PLAIN',
    'sasl.mechanism.inter.broker.protocol': 'PLAIN',
    [`listener.name.${listener.toLowerCase()}.plain.sasl.jaas.config`]: `${module} required ${login};`,
  };
}

/** The folder appears complete or not at all. */
async function createCertificates(folder: string): Promise<void> {
  const unfinished = `${folder}-unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true });
  const file = (name: string): string => join(unfinished, name);
  const key = ['-newkey', 'rsa:2048', '-nodes'];
  await openssl(
    'req',
    '-x509',
    ...key,
    '-keyout',
    file('ca.key'),
    '-out',
    file('ca.pem'),
    '-days',
    VALID_DAYS,
    '-subj',
    '/CN=Tidegate development',
  );
  await openssl(
    'req',
    ...key,
    '-keyout',
    file('broker.key'),
    '-out',
    file('broker.csr'),
    '-subj',
    '/CN=kafka',
  );
  await writeFile(file('broker.ext'), `${BROKER_NAMES}\n`);
  const signing = ['-CA', file('ca.pem'), '-CAkey', file('ca.key'), '-CAcreateserial', '-days', VALID_DAYS];
  await openssl(
    'x509',
    '-req',
    '-in',
    file('broker.csr'),
    ...signing,
    '-extfile',
    file('broker.ext'),
    '-out',
    file('broker.pem'),
  );
  const keystore = readFileSync(file('broker.key'), 'utf8') + readFileSync(file('broker.pem'), 'utf8');
  // Readable by the user of a container: these certificates are for development.
  await writeFile(file('keystore.pem'), keystore, { mode: 0o644 });
  // The characters of base64url need no quoting in the broker's configuration.
  await writeFile(file('password'), randomBytes(24).toString('base64url'), { mode: 0o600 });
  await rename(unfinished, folder);
}

async function openssl(...args: string[]): Promise<void> {
  const { code, output } = await runProgram('openssl', args);
  if (code !== 0) throw new Error(`openssl ${args[0]} failed; is it installed?\n${output.slice(-1_000)}`);
}
