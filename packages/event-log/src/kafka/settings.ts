import { TidegateError } from '@tidegate/core';
import { flag, hostPorts, oneOf, readPem, text, url } from '@tidegate/runtime/config';
import type { z } from 'zod';
import { awsIamToken } from './aws-iam-token.ts';
import { compressions, type Compression } from './compression.ts';
import { clientCredentialsToken } from './oauth-token.ts';
import type { KafkaLogin, KafkaSecurity, KafkaTls } from './security.ts';

const mechanisms = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER', 'AWS_MSK_IAM'] as const;

/** Environment variables of a process's connection to Kafka. See `kafkaOptionsFrom`. */
export const kafkaSettings = {
  KAFKA_BROKERS: hostPorts('the Kafka brokers'),
  KAFKA_CLIENT_ID: text("the client's name in the brokers' logs and quotas").optional(),
  KAFKA_TOPIC_PREFIX: text('what stands in front of the name of every topic').optional(),
  KAFKA_GROUP_PREFIX: text('what stands in front of the name of every consumer group').optional(),
  KAFKA_RACK: text('the rack or zone whose replicas groups read from').optional(),
  KAFKA_CREATE_TOPICS: flag('whether missing topics are created').default(true),
  KAFKA_COMPRESSION: oneOf(compressions, 'the codec of produced batches').default('none'),
  KAFKA_TLS: flag('whether connections use TLS').optional(),
  KAFKA_CA_FILE: text("the PEM file of the authorities that sign the brokers' certificates").optional(),
  KAFKA_CERT_FILE: text("the PEM file of this client's certificate and chain").optional(),
  KAFKA_KEY_FILE: text("the PEM file of the certificate's private key").optional(),
  KAFKA_KEY_PASSPHRASE: text('the passphrase of the private key').optional(),
  KAFKA_SERVER_NAME: text("the name that the brokers' certificates are for").optional(),
  KAFKA_SASL_MECHANISM: oneOf(mechanisms, 'the mechanism of the login').optional(),
  KAFKA_SASL_USERNAME: text('the user of the login').optional(),
  KAFKA_SASL_PASSWORD: text('the password of the login').optional(),
  KAFKA_OAUTH_TOKEN_URL: url(['https', 'http'], 'the token endpoint of the authorization server').optional(),
  KAFKA_OAUTH_CLIENT_ID: text('the client at the authorization server').optional(),
  KAFKA_OAUTH_CLIENT_SECRET: text("the client's secret at the authorization server").optional(),
  KAFKA_OAUTH_SCOPE: text('the scopes that are asked for, separated by spaces').optional(),
  KAFKA_AWS_REGION: text('the AWS region of the cluster').optional(),
};

/** Values of `kafkaSettings`. */
export type KafkaSettings = z.infer<z.ZodObject<typeof kafkaSettings>>;

/** The part of `KafkaEventLogOptions` that environment variables set. */
export interface KafkaEnvironmentOptions extends KafkaSecurity {
  readonly brokers: readonly string[];
  readonly clientId?: string;
  readonly topicPrefix: string | undefined;
  readonly groupPrefix: string | undefined;
  readonly rack: string | undefined;
  readonly createTopics: boolean;
  readonly compression: Compression;
}

/**
 * Returns the options that the variables set.
 *
 * @throws TidegateError CONFIG_INVALID that names the variable: one that another one needs, or a file that cannot be read.
 *
 * @example
 * const log = createKafkaEventLog({ clientId: 'measurements', logger, ...kafkaOptionsFrom(config) });
 */
export function kafkaOptionsFrom(config: KafkaSettings): KafkaEnvironmentOptions {
  const { KAFKA_CLIENT_ID: clientId } = config;
  return {
    brokers: config.KAFKA_BROKERS,
    ...(clientId !== undefined && { clientId }),
    topicPrefix: config.KAFKA_TOPIC_PREFIX,
    groupPrefix: config.KAFKA_GROUP_PREFIX,
    rack: config.KAFKA_RACK,
    createTopics: config.KAFKA_CREATE_TOPICS,
    compression: config.KAFKA_COMPRESSION,
    tls: tlsFrom(config),
    login: loginFrom(config),
  };
}

/** A file or a name for TLS switches it on: a forgotten KAFKA_TLS must not send a password in clear text. */
function tlsFrom(config: KafkaSettings): KafkaTls | undefined {
  const files = {
    ca: readPem('KAFKA_CA_FILE', config.KAFKA_CA_FILE),
    cert: readPem('KAFKA_CERT_FILE', config.KAFKA_CERT_FILE),
    key: readPem('KAFKA_KEY_FILE', config.KAFKA_KEY_FILE),
  };
  if ((files.cert === undefined) !== (files.key === undefined))
    throw invalid('KAFKA_CERT_FILE and KAFKA_KEY_FILE are set together or not at all');
  const { KAFKA_KEY_PASSPHRASE: passphrase, KAFKA_SERVER_NAME: serverName } = config;
  const given = { ...files, passphrase, serverName };
  const isGiven = Object.values(given).some((value) => value !== undefined);
  if (config.KAFKA_TLS === false && isGiven)
    throw invalid('KAFKA_TLS is 0, and variables for TLS are set: remove them, or set it to 1');
  return (config.KAFKA_TLS ?? isGiven) ? given : undefined;
}

function loginFrom(config: KafkaSettings): KafkaLogin | undefined {
  const { KAFKA_SASL_MECHANISM: mechanism } = config;
  switch (mechanism) {
    case undefined:
      if (config.KAFKA_SASL_USERNAME !== undefined || config.KAFKA_SASL_PASSWORD !== undefined)
        throw invalid('KAFKA_SASL_USERNAME or KAFKA_SASL_PASSWORD is set, and KAFKA_SASL_MECHANISM is not');
      return undefined;
    case 'OAUTHBEARER':
      return {
        mechanism,
        token: clientCredentialsToken({
          tokenUrl: required('KAFKA_OAUTH_TOKEN_URL', config),
          clientId: required('KAFKA_OAUTH_CLIENT_ID', config),
          clientSecret: required('KAFKA_OAUTH_CLIENT_SECRET', config),
          scope: config.KAFKA_OAUTH_SCOPE,
        }),
      };
    case 'AWS_MSK_IAM':
      return { mechanism: 'OAUTHBEARER', token: awsIamToken(required('KAFKA_AWS_REGION', config)) };
    default:
      return {
        mechanism,
        username: required('KAFKA_SASL_USERNAME', config),
        password: required('KAFKA_SASL_PASSWORD', config),
      };
  }
}

type TextName = {
  [Name in keyof KafkaSettings]: KafkaSettings[Name] extends string | undefined ? Name : never;
}[keyof KafkaSettings] &
  string;

function required(name: TextName, config: KafkaSettings): string {
  const value = config[name];
  if (value !== undefined) return value;
  throw invalid(`KAFKA_SASL_MECHANISM is ${config.KAFKA_SASL_MECHANISM}, and ${name} is not set`);
}

function invalid(message: string): TidegateError {
  return new TidegateError('CONFIG_INVALID', message);
}
