import { type Message, type MessageDefinition, TidegateError } from '@tidegate/core';
import type { LogRecord } from '@tidegate/event-log';

export interface ReceivedMessage<Definition extends MessageDefinition> {
  readonly record: LogRecord;
  readonly message: Message<Definition>;
}

export interface MalformedRecord {
  readonly record: LogRecord;
  /** Message of the RECORD_MALFORMED error. */
  readonly reason: string;
}

/**
 * Parses a batch and separates its malformed records from its messages. Messages of types that `parse` does not know
 * are dropped.
 */
export function separateMalformedRecords<Definition extends MessageDefinition>(
  records: readonly LogRecord[],
  parse: (record: LogRecord) => Message<Definition> | undefined,
): { readonly received: ReceivedMessage<Definition>[]; readonly malformed: MalformedRecord[] } {
  const received: ReceivedMessage<Definition>[] = [];
  const malformed: MalformedRecord[] = [];
  for (const record of records) {
    try {
      const message = parse(record);
      if (message) received.push({ record, message });
    } catch (error) {
      if (!(error instanceof TidegateError && error.code === 'RECORD_MALFORMED')) throw error;
      malformed.push({ record, reason: error.message });
    }
  }
  return { received, malformed };
}
