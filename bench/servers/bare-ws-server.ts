/** The floor: `ws` connections, and one buffer that is framed once an event and written to each socket. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { Socket, AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';
import { controlServer } from './server-control.ts';
import { resultJson, TickSource, type TicksWanted } from './workload.ts';

/** As long as the ids that the others send. */
const ID = randomUUID();

const server = new WebSocketServer({
  port: 0,
  host: '127.0.0.1',
  handleProtocols: () => 'graphql-transport-ws',
});
const subscribed = new Set<Socket>();
server.on('connection', (socket) => {
  const raw = rawSocket(socket);
  socket.on('close', () => subscribed.delete(raw));
  socket.on('error', () => undefined);
  // Just enough of graphql-transport-ws for the one load generator.
  socket.on('message', (data: Buffer) => {
    const { type } = JSON.parse(data.toString()) as { type: string };
    if (type === 'connection_init') socket.send('{"type":"connection_ack"}');
    if (type === 'ping') socket.send('{"type":"pong"}');
    if (type === 'subscribe') subscribed.add(raw);
  });
});

function rawSocket(socket: WebSocket): Socket {
  return (socket as unknown as { _socket: Socket })._socket;
}

/** A complete unmasked text frame. */
function framed(text: string): Buffer {
  const payload = Buffer.from(text);
  const head = payload.length < 65_536 ? Buffer.alloc(4) : Buffer.alloc(10);
  head[0] = 0x81;
  if (head.length === 4) {
    head[1] = 126;
    head.writeUInt16BE(payload.length, 2);
  } else {
    head[1] = 127;
    head.writeBigUInt64BE(BigInt(payload.length), 2);
  }
  return Buffer.concat([head, payload]);
}

await once(server, 'listening');
const source = new TickSource();
const publish = (wanted: TicksWanted): void => {
  for (const tick of source.make(wanted)) {
    const frame = framed(`{"id":"${ID}","type":"next","payload":${resultJson(tick)}}`);
    for (const socket of subscribed) socket.write(frame);
  }
};
const { port } = server.address() as AddressInfo;
controlServer({ port, subscriptions: () => subscribed.size }, { publish });
