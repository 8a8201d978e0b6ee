/** Entry of the process that runs the reconnecting clients of a demo churn. */
import { setTimeout as pause } from 'node:timers/promises';
import { signToken } from '../../scripts/token/sign-token.ts';
import { benchOptions } from '../processes/pinned-process.ts';
import { answerRequests, reportReady } from '../processes/requests.ts';
import { churnClient, endings } from './churn-client.ts';
import { orders } from './churn-documents.ts';

export interface DemoLoadOptions {
  readonly port: number;
  readonly secret: string;
  readonly productIds: readonly string[];
}

export interface DemoCounts {
  /** Connections, from their start to their end. */
  readonly connections: number;
  readonly messages: number;
  /** Connections that the gateway ended early. */
  readonly cutOff: number;
  /** Messages of other errors, each once. */
  readonly errors: readonly string[];
}

const TOKEN_TTL_MS = 3 * 60 * 60 * 1000;
const MAX_PAUSE_MS = 10_000;

const { port, secret, productIds } = benchOptions() as DemoLoadOptions;
const workload = orders(productIds);
const errors = new Set<string>();
let [connections, messages, cutOff] = [0, 0, 0];

function pick<T>(from: readonly T[]): T {
  return from[Math.floor(Math.random() * from.length)]!;
}

/** Connects and leaves again and again, in every way, as one viewer; half of the connections resume. */
async function runViewer(index: number, until: AbortSignal): Promise<void> {
  const token = await signToken({ sub: `viewer-${index}`, role: 'operator', ttlMs: TOKEN_TTL_MS, secret });
  let cursor: string | undefined;
  while (!until.aborted) {
    await pause(Math.random() * MAX_PAUSE_MS);
    try {
      const resumed = Math.random() < 0.5 ? cursor : undefined;
      const [transport, ending] = [pick(['websocket', 'sse'] as const), pick(endings)];
      const churned = await churnClient({ port, token, workload, transport, ending, cursor: resumed });
      ({ cursor } = churned);
      connections += 1;
      messages += churned.messages;
      if (churned.isCutOff) cutOff += 1;
    } catch (error) {
      errors.add(String(error));
    }
  }
}

let stopping = new AbortController();
let running: Promise<void>[] = [];

const handlers = {
  start: ({ clients }: { clients: number }): void => {
    stopping = new AbortController();
    running = Array.from({ length: clients }, (_, index) => runViewer(index, stopping.signal));
  },
  counts: (): DemoCounts => ({ connections, messages, cutOff, errors: [...errors] }),
  /** Resolves when every client is gone. */
  stop: async (): Promise<void> => {
    stopping.abort();
    await Promise.all(running);
  },
};

export type DemoLoadHandlers = typeof handlers;

answerRequests(handlers);
reportReady({});
