/**
 * Churn: leaks after clients have come and gone.
 *
 * Rounds of clients connect over WebSocket and event streams and leave in every way: closed, unsubscribed, subscribed
 * again under the same id, reloaded, aborted, cut, half open. Compares the gateway's resources after the warm-up and
 * after the last client.
 *
 * Figures: the differences of `subscriptions`, `groups`, `connections`, `activeResources` and `listeners`, all 0 without
 * a leak; `heapGrowthMb`, which must not grow with the minutes (compare with `before.heapMb`); `rounds`, `clients`,
 * `messages`; `cutOff`, clients that the gateway disconnected early because a busy machine kept them from answering a
 * ping. `BENCH_MINUTES` sets the duration, default 10. `BENCH_HEAP=folder` writes two heap snapshots to compare.
 *
 * With `BENCH_SHAPE=demo`: 200 reconnecting clients on the embedded order platform with demo traffic, for
 * `BENCH_MINUTES` (default 60). `heapGrowthMb` is the difference of the heap after a collection at minute 10, or a sixth
 * of the time, and at the end.
 */
import { churn, growth } from './churn/churn.ts';
import { demoChurn } from './churn/demo-churn.ts';
import type { Measurement } from './run.ts';

const CLIENTS_PER_ROUND = 300;
const DEMO_CLIENTS = 200;
const WARM_UP_ROUNDS = 8;
const LOG_EVERY_ROUNDS = 10;

type Log = (line: string) => void;

function minutesOr(fallback: number): number {
  return Number(process.env['BENCH_MINUTES'] ?? fallback);
}

async function measureRounds(log: Log): Promise<Record<string, number>> {
  const minutes = minutesOr(10);
  log(`${minutes} minutes of churn, ${CLIENTS_PER_ROUND} clients a round`);
  let endsAtMs: number | undefined;
  let lines = 0;
  const churned = await churn({
    clientsPerRound: CLIENTS_PER_ROUND,
    warmUpRounds: WARM_UP_ROUNDS,
    // The time starts with the first round after the warm-up.
    keepGoing: () => Date.now() < (endsAtMs ??= Date.now() + minutes * 60_000),
    log: (line) => {
      if (lines++ % LOG_EVERY_ROUNDS === 0) log(line);
    },
  });
  const { rounds, clients, messages, cutOff, before, after } = churned;
  log(`before ${JSON.stringify(before)}\nafter  ${JSON.stringify(after)}`);
  return { ...growth(churned), rounds, clients, messages, cutOff, 'before.heapMb': before.heapMb };
}

async function measureDemo(log: Log): Promise<Record<string, number>> {
  const minutes = minutesOr(60);
  const fromMinute = Math.max(1, Math.floor(minutes / 6));
  log(`${minutes} minutes of demo traffic, ${DEMO_CLIENTS} reconnecting clients`);
  const snapshots = process.env['BENCH_HEAP'];
  const demo = await demoChurn({ clients: DEMO_CLIENTS, minutes, fromMinute, log, snapshots });
  for (const error of demo.errors) log(`error: ${error}`);
  return {
    heapGrowthMb: demo.after.heapMb - demo.before.heapMb,
    'before.heapMb': demo.before.heapMb,
    'after.heapMb': demo.after.heapMb,
    'before.rssMb': demo.before.rssMb,
    'after.rssMb': demo.after.rssMb,
    connections: demo.connections,
    messages: demo.messages,
    cutOff: demo.cutOff,
    errors: demo.errors.length,
  };
}

const bench: Measurement = {
  description:
    'clients that connect and leave in every way: resources that the gateway still holds afterwards',
  measure: (log) => (process.env['BENCH_SHAPE'] === 'demo' ? measureDemo(log) : measureRounds(log)),
};
export default bench;
