/**
 * Churn: leaks after clients have come and gone.
 *
 * Rounds of clients connect over WebSocket and event streams and leave in every way: closed, unsubscribed, reloaded,
 * cut, half open. Compares the gateway's resources after the warm-up and after the last client.
 *
 * Figures: the differences of `subscriptions`, `groups`, `connections`, `activeResources` and `listeners`, all 0 without
 * a leak; `heapGrowthMb`, which must not grow with the minutes (compare with `before.heapMb`); `rounds`, `clients`,
 * `messages`; `cutOff`, clients that the gateway disconnected early because a busy machine kept them from answering a
 * ping. `BENCH_MINUTES` sets the duration, default 10. `BENCH_HEAP=folder` writes two heap snapshots to compare.
 */
import { churn, growth } from './churn/churn.ts';
import type { Measurement } from './run.ts';

const MINUTES = Number(process.env['BENCH_MINUTES'] ?? 10);
const CLIENTS_PER_ROUND = 300;
const WARM_UP_ROUNDS = 8;
const LOG_EVERY_ROUNDS = 10;

async function measure(log: (line: string) => void): Promise<Record<string, number>> {
  log(`${MINUTES} minutes of churn, ${CLIENTS_PER_ROUND} clients a round`);
  let endsAtMs: number | undefined;
  let lines = 0;
  const churned = await churn({
    clientsPerRound: CLIENTS_PER_ROUND,
    warmUpRounds: WARM_UP_ROUNDS,
    // The time starts with the first round after the warm-up.
    keepGoing: () => Date.now() < (endsAtMs ??= Date.now() + MINUTES * 60_000),
    log: (line) => {
      if (lines++ % LOG_EVERY_ROUNDS === 0) log(line);
    },
  });
  const { rounds, clients, messages, cutOff, before, after } = churned;
  log(`before ${JSON.stringify(before)}\nafter  ${JSON.stringify(after)}`);
  return { ...growth(churned), rounds, clients, messages, cutOff, 'before.heapMb': before.heapMb };
}

const bench: Measurement = {
  description:
    'minutes of clients that connect and leave in every way: resources that the gateway still holds afterwards',
  measure,
};
export default bench;
