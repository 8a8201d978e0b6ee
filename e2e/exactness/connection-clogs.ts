import type { Socket } from 'node:net';

/** Holds back the bytes written to single connections, like a network that accepts no more for a client. */
export class ConnectionClogs {
  readonly #byPort = new Map<number, Socket>();
  readonly #clogged = new Set<Socket>();

  add(socket: Socket): void {
    const port = socket.remotePort;
    if (port === undefined) return;
    this.#byPort.set(port, socket);
    socket.on('close', () => {
      if (this.#byPort.get(port) === socket) this.#byPort.delete(port);
      this.#clogged.delete(socket);
    });
  }

  /** Holds back all bytes for the client at this port, or releases them. */
  set(port: number, on: boolean): void {
    const socket = this.#byPort.get(port);
    if (!socket || this.#clogged.has(socket) === on) return;
    if (on) {
      this.#clogged.add(socket);
      socket.cork();
    } else {
      this.#clogged.delete(socket);
      socket.uncork();
    }
  }
}
