/** Lower bound for any server: frames each event once and writes the same buffer to every `ws` connection. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { Socket, AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';
import { controlServer } from './server-control.ts';
import { resultJson, TickSource, type TickRequest } from './workload.ts';

/** As long as the ids of the other servers, so that frames have equal sizes. */
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
  // Implements only the part of graphql-transport-ws that the load generator needs.
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

/** Returns a complete unmasked text frame. */
function textFrame(text: string): Buffer {
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
const publish = (request: TickRequest): void => {
  for (const tick of source.make(request)) {
    const frame = textFrame(`{"id":"${ID}","type":"next","payload":${resultJson(tick)}}`);
    for (const socket of subscribed) socket.write(frame);
  }
};
const { port } = server.address() as AddressInfo;
controlServer({ port, subscriptions: () => subscribed.size }, { publish });
