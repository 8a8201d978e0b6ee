import type { Socket } from 'node:net';

/** Replaces text in the bytes written to a socket. The replacement must have the same length: frames state theirs. */
export function patchWrites(socket: Socket, pattern: RegExp, replace: (found: string) => string): void {
  const write = socket.write.bind(socket) as (...args: unknown[]) => boolean;
  socket.write = (chunk: string | Uint8Array, ...rest: unknown[]) => {
    if (typeof chunk === 'string') return write(chunk, ...rest);
    // Latin-1 preserves every byte. The buffer is copied because other connections share it.
    const text = Buffer.from(chunk).toString('latin1').replace(pattern, replace);
    return write(Buffer.from(text, 'latin1'), ...rest);
  };
}
