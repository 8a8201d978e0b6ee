import { WebSocket } from 'ws';

/**
 * WebSocket of a server that reports when the closing handshake advances. `ws` itself reports only its end, when the TCP
 * connection is gone, which a client may put off.
 */
export class ClosingWebSocket extends WebSocket {
  /** Called at every call of `close`: by this server, and by `ws` when a Close frame or an invalid frame arrives. */
  onClosing: (() => void) | undefined;

  override close(code?: number, reason?: string | Buffer): void {
    super.close(code, reason);
    this.onClosing?.();
  }
}
