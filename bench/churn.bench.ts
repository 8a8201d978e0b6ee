import { churn, growth } from './churn/churn.ts';
import type { Measurement } from './run.ts';

/** Fewer by `BENCH_MINUTES`, for a look while something is being changed. */
const MINUTES = Number(process.env['BENCH_MINUTES'] ?? 10);
const CLIENTS_PER_ROUND = 300;
const WARM_UP_ROUNDS = 8;
const SAY_EVERY_ROUNDS = 10;

async function measure(log: (line: string) => void): Promise<Record<string, number>> {
  log(`${MINUTES} minutes of churn, ${CLIENTS_PER_ROUND} clients a round`);
  let endsAtMs: number | undefined;
  let said = 0;
  const churned = await churn({
    clientsPerRound: CLIENTS_PER_ROUND,
    warmUpRounds: WARM_UP_ROUNDS,
    // From the first round on that counts.
    goesOn: () => Date.now() < (endsAtMs ??= Date.now() + MINUTES * 60_000),
    log: (line) => {
      if (said++ % SAY_EVERY_ROUNDS === 0) log(line);
    },
  });
  const { rounds, clients, messages, cutOff, before, after } = churned;
  log(`before ${JSON.stringify(before)}\nafter  ${JSON.stringify(after)}`);
  return { ...growth(churned), rounds, clients, messages, cutOff, 'before.heapMb': before.heapMb };
}

const bench: Measurement = {
  description: 'minutes of clients that come and go in every way: what the gateway still holds afterwards',
  measure,
};
export default bench;
