import { TidegateError } from '@tidegate/core';
import { unknownTopic } from '../topic-errors.ts';

/** Members of the errors of both client libraries, of Node's TLS and of Kafka's protocol. */
interface KnownError {
  /** Name of a protocol error in kafkajs. */
  readonly type?: unknown;
  /** Name of a protocol error in `@platformatic/kafka`. */
  readonly apiId?: unknown;
  /** Code of Node or of a library. */
  readonly code?: unknown;
  readonly name?: unknown;
  readonly message?: unknown;
  readonly cause?: unknown;
  readonly errors?: readonly unknown[];
}

const logins =
  /^(SASL_AUTHENTICATION_FAILED|UNSUPPORTED_SASL_MECHANISM|ILLEGAL_SASL_STATE|PLT_KFK_AUTHENTICATION|KafkaJSSASLAuthenticationError)$/;
const certificates =
  /^(ERR_TLS_CERT_ALTNAME_INVALID|CERT_|UNABLE_TO_|SELF_SIGNED_CERT|DEPTH_ZERO_SELF_SIGNED|ERR_SSL_|HOSTNAME_MISMATCH)/;
const rights = /_AUTHORIZATION_FAILED$/;
const tooLarge = /^(MESSAGE_TOO_LARGE|RECORD_LIST_TOO_LARGE)$/;
const wrongTime = /^INVALID_TIMESTAMP$/;
const unknown = /^(UNKNOWN_TOPIC_OR_PARTITION|INVALID_TOPIC_EXCEPTION)$/;
/** Message of `@platformatic/kafka` in place of the protocol's code. */
const unknownTopicMessage = /^Unknown topic /;

/**
 * Translates an error of a client library to the port's codes, by what it and its causes name. What an operator can mend
 * (a login, a certificate, a right) is UNAVAILABLE too, with a message that says so: it may be mended at any moment.
 *
 * @param subject topic or group that the request was about. Default: none.
 */
export function translateError(error: unknown, subject?: string): TidegateError {
  if (error instanceof TidegateError) return error;
  const chain = chainOf(error);
  const isUnknown =
    find(chain, unknown) ?? chain.find(({ message }) => unknownTopicMessage.test(String(message)));
  if (isUnknown) return unknownTopic(subject ?? '(not named)');
  if (find(chain, tooLarge))
    return new TidegateError('PAYLOAD_TOO_LARGE', 'A record is larger than the brokers allow.', {
      cause: error,
    });
  return new TidegateError('UNAVAILABLE', refusal(chain, subject) ?? 'The event log cannot be reached.', {
    cause: error,
  });
}

/** True for an error that a missing right caused. */
export function isForbidden(error: unknown): boolean {
  return find(chainOf(error), rights) !== undefined;
}

/** Returns what an operator has to know about a refused connection or request. */
function refusal(chain: readonly KnownError[], subject = 'what it asks for'): string | undefined {
  const forbidden = find(chain, rights);
  if (forbidden)
    return `Kafka's ACLs do not permit this client ${subject}: ${String(forbidden.type ?? forbidden.apiId)}.`;
  if (find(chain, wrongTime))
    return `Kafka does not take records of this time, ${new Date().toISOString()}: the clock of this machine is wrong, or message.timestamp.before.max.ms and after.max.ms of ${subject} are too narrow.`;
  const login = find(chain, logins);
  if (login) return `Kafka refuses the login: ${reasonOf(chain, login)}.`;
  const certificate = find(chain, certificates);
  if (certificate) return `Kafka's TLS certificate is not accepted: ${String(certificate.message)}.`;
  // The broker's answer in TLS to a request in clear text.
  if (chain.some(({ message }) => message === 'Broker requires TLS.'))
    return 'Kafka wants TLS on this listener, and this client uses none.';
  return undefined;
}

/** The broker's own words where it sends some. */
function reasonOf(chain: readonly KnownError[], found: KnownError): string {
  for (const each of chain) {
    const { response } = each as { response?: { errorMessage?: unknown } };
    if (typeof response?.errorMessage === 'string') return response.errorMessage;
  }
  return String(found.message);
}

function find(chain: readonly KnownError[], pattern: RegExp): KnownError | undefined {
  return chain.find((error) =>
    [error.type, error.apiId, error.code, error.name].some(
      (name) => typeof name === 'string' && pattern.test(name),
    ),
  );
}

/** Returns the error, its causes and the errors that it combines, outermost first. */
function chainOf(error: unknown): KnownError[] {
  if (typeof error !== 'object' || error === null) return [];
  const { cause, errors } = error as KnownError;
  return [error, ...(errors ?? []).flatMap(chainOf), ...chainOf(cause)];
}
