/** Size in bytes from which a batch is written alone: copying it costs more than a system call of its own. */
export const LARGE_BYTES = 16 * 1024;

/**
 * Splits messages, in their order, into groups that leave with one write each. A large message is a group of its own:
 * its encoded bytes are shared by all connections, while those of a group are copied for each.
 *
 * @param bytesOf size of a message on the wire.
 */
export function splitAtLarge<Message>(
  messages: readonly Message[],
  bytesOf: (message: Message) => number,
): Message[][] {
  const groups: Message[][] = [];
  let open: Message[] | undefined;
  for (const message of messages) {
    if (bytesOf(message) >= LARGE_BYTES) {
      groups.push([message]);
      open = undefined;
    } else if (open) open.push(message);
    else groups.push((open = [message]));
  }
  return groups;
}
