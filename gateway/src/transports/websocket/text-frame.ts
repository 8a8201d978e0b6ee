/** RFC 6455, 5.2: FIN and opcode 1 (text). Frames of a server are not masked. */
const FIN_TEXT = 0x81;

/** Returns the size of the header for a payload of this size. */
export function headerBytes(payloadBytes: number): number {
  if (payloadBytes < 126) return 2;
  return payloadBytes < 65_536 ? 4 : 10;
}

/** Writes the header of an unfragmented text frame at `offset`. Returns the offset of the payload. */
export function writeHeader(target: Buffer, offset: number, payloadBytes: number): number {
  target[offset] = FIN_TEXT;
  if (payloadBytes < 126) {
    target[offset + 1] = payloadBytes;
    return offset + 2;
  }
  if (payloadBytes < 65_536) {
    target[offset + 1] = 126;
    target.writeUInt16BE(payloadBytes, offset + 2);
    return offset + 4;
  }
  target[offset + 1] = 127;
  target.writeUInt32BE(0, offset + 2);
  target.writeUInt32BE(payloadBytes, offset + 6);
  return offset + 10;
}
