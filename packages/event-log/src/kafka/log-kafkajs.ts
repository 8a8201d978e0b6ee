import type { Logger } from '@tidegate/runtime/telemetry';

interface Line {
  readonly message: string;
  readonly [field: string]: unknown;
}

/**
 * Writes a line of kafkajs to the log. kafkajs logs a rebalance or a moved leader as an error; `onError` reports the errors
 * that matter. "Topic creation errors" means that another process created the topic first; other reasons reject.
 */
export function logKafkajs(logger: Logger, isError: boolean, { message, ...fields }: Line): void {
  const { timestamp: _, logger: source, stack: __, ...rest } = fields;
  const entry = { source, ...rest };
  if (isError && fields['error'] !== 'Topic creation errors') logger.warn(entry, message);
  else logger.debug(entry, message);
}
