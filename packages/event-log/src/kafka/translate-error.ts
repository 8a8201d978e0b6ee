import { TidegateError } from '@tidegate/core';

interface ProtocolError {
  readonly type?: string;
  readonly cause?: unknown;
  readonly errors?: readonly unknown[];
}

/** Translates an error of kafkajs to the port's codes, by the types of Kafka's protocol that it or its causes name. */
export function translateError(error: unknown): TidegateError {
  const types = protocolTypes(error);
  if (types.includes('UNKNOWN_TOPIC_OR_PARTITION')) {
    return new TidegateError('NOT_FOUND', 'The event log does not have the topic.', { cause: error });
  }
  if (types.includes('MESSAGE_TOO_LARGE') || types.includes('RECORD_LIST_TOO_LARGE')) {
    return new TidegateError('PAYLOAD_TOO_LARGE', 'A record is larger than the brokers allow.', {
      cause: error,
    });
  }
  return new TidegateError('UNAVAILABLE', 'The event log cannot be reached.', { cause: error });
}

function protocolTypes(error: unknown): string[] {
  const { type, cause, errors } = (error ?? {}) as ProtocolError;
  const inner = [...(errors ?? []), ...(cause === undefined ? [] : [cause])];
  return [...(type === undefined ? [] : [type]), ...inner.flatMap(protocolTypes)];
}
