import { type Message, type MessageDefinition, TidegateError } from '@tidegate/core';
import type { LogRecord } from '@tidegate/event-log';
import type { DeliveredRecord } from '../dead-letters/redriven-record.ts';

export interface ReceivedMessage<Definition extends MessageDefinition> {
  readonly source: DeliveredRecord;
  readonly message: Message<Definition>;
}

export interface MalformedRecord {
  readonly source: DeliveredRecord;
  /** Message of the RECORD_MALFORMED error. */
  readonly reason: string;
}

/**
 * Parses a batch and separates its malformed records from its messages. Messages of types that `parse` does not know
 * are dropped.
 */
export function separateMalformedRecords<Definition extends MessageDefinition>(
  sources: readonly DeliveredRecord[],
  parse: (record: LogRecord) => Message<Definition> | undefined,
): { readonly received: ReceivedMessage<Definition>[]; readonly malformed: MalformedRecord[] } {
  const received: ReceivedMessage<Definition>[] = [];
  const malformed: MalformedRecord[] = [];
  for (const source of sources) {
    try {
      const message = parse(source.record);
      if (message) received.push({ source, message });
    } catch (error) {
      if (!(error instanceof TidegateError && error.code === 'RECORD_MALFORMED')) throw error;
      malformed.push({ source, reason: error.message });
    }
  }
  return { received, malformed };
}
