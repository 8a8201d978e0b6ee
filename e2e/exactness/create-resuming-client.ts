import { EventStreamClient } from './event-stream-client.ts';
import type { ResumingClient, ResumingClientOptions } from './resuming-client.ts';
import { WebSocketClient } from './websocket-client.ts';

export function createResumingClient(options: ResumingClientOptions): ResumingClient {
  return options.transport === 'sse' ? new EventStreamClient(options) : new WebSocketClient(options);
}
