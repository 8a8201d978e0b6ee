export { TICK_OF_KEY, TICKS } from '../servers/workload.ts';

export const BENCH_PATH = '/graphql/bench';
