import type { WebSocket } from 'ws';

/** Ends a peer that vanished without closing: it does not answer a probe. Returns what stops it. */
export function startHeartbeat(socket: WebSocket, everyMs: number): () => void {
  let alive = true;
  socket.on('pong', () => (alive = true));
  const timer = setInterval(() => {
    if (!alive) return socket.terminate();
    alive = false;
    socket.ping();
  }, everyMs);
  return () => clearInterval(timer);
}
