/** RFC 6455, 5.5: a control frame holds 125 bytes, of which a close frame needs 2 for its code. */
const MAX_REASON_BYTES = 123;

/** Returns the text, cut between two characters to the 123 bytes that a close frame has room for. */
export function closeReason(text: string): string {
  if (Buffer.byteLength(text) <= MAX_REASON_BYTES) return text;
  let bytes = 0;
  let end = 0;
  for (const character of text) {
    bytes += Buffer.byteLength(character);
    if (bytes > MAX_REASON_BYTES) break;
    end += character.length;
  }
  return text.slice(0, end);
}
