import type { TidegateError } from '@tidegate/core';

/**
 * True for an error that ends the connection and not only the operation: the client has to resume with its cursor on
 * another connection, and messages that still wait on this one would be lost with it.
 */
export function closesConnection({ code }: TidegateError): boolean {
  return code === 'SLOW_CONSUMER' || code === 'DRAINING';
}
