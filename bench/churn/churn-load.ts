/** Entry of the process that runs the clients of a churn. */
import { benchOptions } from '../processes/pinned-process.ts';
import { answerRequests, reportReady } from '../processes/requests.ts';
import { ticks } from './churn-documents.ts';
import { churnClient, endings, type Ending } from './churn-client.ts';

export interface ChurnLoadOptions {
  readonly port: number;
  readonly token: string;
}

export interface ChurnCounts {
  readonly clients: number;
  readonly messages: number;
  readonly cutOff: number;
  readonly endings: Readonly<Record<Ending, number>>;
}

const options = benchOptions() as ChurnLoadOptions;

const handlers = {
  /** Runs one round of concurrent clients over all transports and endings. Resolves when all are gone. */
  round: async ({ clients }: { clients: number }): Promise<ChurnCounts> => {
    const sums = Object.fromEntries(endings.map((ending) => [ending, 0])) as Record<Ending, number>;
    const running = Array.from({ length: clients }, async (_, index) => {
      const ending = endings[index % endings.length]!;
      const transport =
        Math.floor(index / endings.length) % 3 === 0 ? ('sse' as const) : ('websocket' as const);
      sums[ending] += 1;
      return churnClient({ ...options, workload: ticks, transport, ending });
    });
    const churned = await Promise.all(running);
    const messages = churned.reduce((sum, client) => sum + client.messages, 0);
    const cutOff = churned.filter(({ isCutOff }) => isCutOff).length;
    return { clients, messages, cutOff, endings: sums };
  },
};

export type ChurnLoadHandlers = typeof handlers;

answerRequests(handlers);
reportReady({});
