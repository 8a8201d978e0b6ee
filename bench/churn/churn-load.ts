/** The clients of a churn, in a process of their own. */
import { benchOptions } from '../processes/pinned-process.ts';
import { answerRequests, sayReady } from '../processes/requests.ts';
import { churnClient, type Fate, fates } from './churn-client.ts';

export interface ChurnLoadOptions {
  readonly port: number;
  readonly token: string;
}

export interface ChurnCounts {
  readonly clients: number;
  readonly messages: number;
  readonly cutOff: number;
  readonly fates: Readonly<Record<Fate, number>>;
}

const options = benchOptions() as ChurnLoadOptions;

const handlers = {
  /** One round: so many clients at once, each with a transport and a fate of its own; resolves when all are gone. */
  round: async ({ clients }: { clients: number }): Promise<ChurnCounts> => {
    const sums = Object.fromEntries(fates.map((fate) => [fate, 0])) as Record<Fate, number>;
    const lives = Array.from({ length: clients }, async (_, index) => {
      const fate = fates[index % fates.length]!;
      const transport =
        Math.floor(index / fates.length) % 3 === 0 ? ('sse' as const) : ('websocket' as const);
      sums[fate] += 1;
      return churnClient({ ...options, transport, fate });
    });
    const lived = await Promise.all(lives);
    const messages = lived.reduce((sum, life) => sum + life.messages, 0);
    const cutOff = lived.filter(({ isCutOff }) => isCutOff).length;
    return { clients, messages, cutOff, fates: sums };
  },
};

export type ChurnLoadHandlers = typeof handlers;

answerRequests(handlers);
sayReady({});
