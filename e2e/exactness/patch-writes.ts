import type { Socket } from 'node:net';

/** Changes the text that is written to a socket. What takes its place must be as long: frames say their length. */
export function patchWrites(socket: Socket, pattern: RegExp, replace: (found: string) => string): void {
  const write = socket.write.bind(socket) as (...args: unknown[]) => boolean;
  socket.write = (chunk: string | Uint8Array, ...rest: unknown[]) => {
    if (typeof chunk === 'string') return write(chunk, ...rest);
    // Latin-1 keeps every byte. A copy: the same buffer goes to others.
    const text = Buffer.from(chunk).toString('latin1').replace(pattern, replace);
    return write(Buffer.from(text, 'latin1'), ...rest);
  };
}
