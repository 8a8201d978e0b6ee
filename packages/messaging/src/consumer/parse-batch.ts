import {
  type createMessageParser,
  type Message,
  type MessageDefinition,
  TidegateError,
} from '@tidegate/core';
import type { LogRecord } from '@tidegate/event-log';

export interface Received<Definition extends MessageDefinition> {
  readonly record: LogRecord;
  readonly message: Message<Definition>;
}

export interface Unreadable {
  readonly record: LogRecord;
  readonly reason: string;
}

/** The border: what is readable and meant for this consumer, and what nobody could read. Others' messages drop out. */
export function parseBatch<Definition extends MessageDefinition>(
  records: readonly LogRecord[],
  parse: (record: Parameters<ReturnType<typeof createMessageParser>>[0]) => Message<Definition> | undefined,
): { received: Received<Definition>[]; unreadable: Unreadable[] } {
  const received: Received<Definition>[] = [];
  const unreadable: Unreadable[] = [];
  for (const record of records) {
    try {
      const message = parse(record);
      if (message) received.push({ record, message });
    } catch (error) {
      if (!(error instanceof TidegateError && error.code === 'RECORD_MALFORMED')) throw error;
      unreadable.push({ record, reason: error.message });
    }
  }
  return { received, unreadable };
}
