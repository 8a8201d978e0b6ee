/** Size in bytes from which a batch is written alone: copying it costs more than a system call of its own. */
const LARGE_BYTES = 16 * 1024;

/**
 * Splits messages, in their order, into groups that leave with one write each. A large message is a group of its own:
 * all connections share its encoded bytes, while each connection copies the bytes of a group.
 *
 * @param bytesOf size of a message; an estimate is enough.
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
