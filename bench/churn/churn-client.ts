import { setTimeout as pause } from 'node:timers/promises';
import type { ChurnWorkload } from './churn-documents.ts';
import { GoneError } from './churn-connection.ts';
import { openChurnEventStream } from './churn-event-stream.ts';
import { openChurnWebSocket } from './churn-websocket.ts';

/** Ways in which a client's connection ends. */
export const endings = [
  'close',
  'unsubscribe',
  'resubscribe',
  'reload',
  'destroy',
  'abort',
  'half-open',
] as const;
export type Ending = (typeof endings)[number];

export interface ChurnClientOptions {
  readonly port: number;
  readonly token: string;
  readonly workload: ChurnWorkload;
  readonly transport: 'websocket' | 'sse';
  readonly ending: Ending;
  /** Resumes after the cursor of an earlier client. Default: from now on. */
  readonly cursor?: string | undefined;
}

/** Messages that a client waits for on each connection. */
const MESSAGES = 3;
/** Long enough to miss two heartbeats. */
const FROZEN_MS = 2_500;

export interface ChurnedClient {
  readonly messages: number;
  /** Cursor of the last message, for the next client. */
  readonly cursor?: string | undefined;
  /** The gateway ended the connection early: a busy machine keeps a client from answering a ping. */
  readonly isCutOff: boolean;
}

/** Runs one client from its connection to its end. */
export async function churnClient(options: ChurnClientOptions): Promise<ChurnedClient> {
  try {
    return { ...(await runClient(options)), isCutOff: false };
  } catch (error) {
    if (!(error instanceof GoneError)) throw error;
    return { messages: error.messages, isCutOff: true };
  }
}

/** Resolves with the messages received. */
async function runClient(options: ChurnClientOptions): Promise<Pick<ChurnedClient, 'messages' | 'cursor'>> {
  const { port, token, workload, transport, ending } = options;
  const open = transport === 'sse' ? openChurnEventStream : openChurnWebSocket;
  const connection = await open({ port, token, workload, cursor: options.cursor });
  if (ending === 'abort') {
    connection.destroy();
    return { messages: 0, cursor: options.cursor };
  }
  await connection.received(MESSAGES);
  let { messages } = connection;
  switch (ending) {
    case 'close':
      connection.close();
      break;
    case 'unsubscribe':
      connection.unsubscribe();
      await pause(20);
      connection.close();
      break;
    case 'resubscribe':
      connection.resubscribe();
      await connection.received(messages + MESSAGES);
      ({ messages } = connection);
      connection.close();
      break;
    case 'reload': {
      connection.close();
      const resumed = await open({ port, token, workload, cursor: connection.cursor });
      await resumed.received(MESSAGES);
      messages += resumed.messages;
      resumed.close();
      break;
    }
    case 'destroy':
      connection.destroy();
      break;
    case 'half-open':
      connection.freeze();
      await pause(FROZEN_MS);
      connection.destroy();
  }
  return { messages, cursor: connection.cursor };
}
