/**
 * Fan-out: one event delivered to every subscriber.
 *
 * Measured against two other servers with the same load generator and the same result bytes: `stock`, graphql-yoga with
 * its pub-sub and graphql-ws by their documentation, and `bareWs`, a plain WebSocket broadcast, the lower bound. The
 * server runs on one core, the load generator on another; ticks are appended on the server's core, outside its process.
 *
 * Figures (`tidegate` has no infix, the others have `.stock` and `.bareWs`):
 *
 * - `low` and `burst`: deliveries per CPU-second of the server with 1,000 connections, at 10 ticks/s and with batches
 *   back to back. Higher is better. `ratioToStock` and `ratioToBareWs` are medians over neighbouring rounds, so they
 *   depend less on the machine than the absolute figures.
 * - `lowMany` and `burstMany`: the same with 10,000 connections, or as many as the limit of open files allows
 *   (`connections`), each burst from idle. `rssPerConnectionKb`: memory per subscribed connection before any traffic.
 * - `halfLoad`: delays from append to receipt at the tick rate at which the gateway uses half of its core, with
 *   `bareWs.p99Ms` at the same rate. `fromAskedP99Ms` counts from the time the tick was due, so it includes waiting to
 *   be appended. `ticksPerSecond` and `cpuShare` describe the load. `halfLoad.kafka`: the same on Kafka, if
 *   `KAFKA_BROKERS` is set.
 */
import { join } from 'node:path';
import { startLoad, type LoadProcess } from './load/load-process.ts';
import { median } from './percentiles.ts';
import { joinServerCore } from './processes/pinned-process.ts';
import { allowedConnections } from './processes/open-files.ts';
import { temporaryDirectory } from '@tidegate/testing';
import { profileRound } from './servers/profile.ts';
import { burstRound, steadyRound, type Round } from './fanout/rounds.ts';
import { startSubject } from './fanout/start-subject.ts';
import { subjectNames, type Subject, type SubjectName } from './fanout/subject.ts';
import type { TickLogPlace } from './servers/tick-log.ts';
import type { Measurement } from './run.ts';

type Log = (line: string) => void;
type Figures = Record<string, number>;

const FEW = 1_000;
const MANY = 10_000;
const LOW = { ticksPerSecond: 10, forMs: 3_000 };
const LOW_MANY = { ticksPerSecond: 1, forMs: 5_000 };
const BURST_MS = 2_000;
const WARM_UP_MS = 4_000;
/** Ticks per batch. The stock server publishes each tick separately; it gets fewer, so that a batch ends in time. */
const FEW_BATCH_TICKS: Readonly<Record<SubjectName, number>> = { tidegate: 50, stock: 5, bareWs: 50 };
const MANY_BATCH_TICKS: Readonly<Record<SubjectName, number>> = { tidegate: 10, stock: 1, bareWs: 10 };
const ROUNDS = 5;
const MANY_ROUNDS = 3;
const HALF_LOAD_MS = 4_000;
const HALF_LOAD_ROUNDS = 5;
const PROBES = 4;
const PROBE_MS = 1_500;

async function measure(log: Log): Promise<Figures> {
  await using directory = await temporaryDirectory();
  await using load = await startLoad();
  joinServerCore();
  const few = await withFew(directory.path, load, log);
  const place = { path: join(directory.path, 'half.sqlite') };
  const half = await halfLoad('halfLoad', { directory: directory.path, load, place }, log);
  const many = await withMany(directory.path, load, log);
  const kafka = await onKafka(directory.path, load, log);
  return { ...few, ...half, ...many, ...kafka };
}

/** Runs the rounds of all three servers in turn, with few connections: a disturbance affects all of them alike. */
async function withFew(directory: string, load: LoadProcess, log: Log): Promise<Figures> {
  await using stack = new AsyncDisposableStack();
  const subjects: Subject[] = [];
  for (const name of subjectNames) {
    log(`${name}: connecting ${FEW}`);
    subjects.push(stack.use(await startWarm(name, { connections: FEW, load, directory })));
  }
  const low = await inTurn(subjects, 'low', log, (subject) => steadyRound(subject, load, LOW));
  const burst = await inTurn(subjects, 'burst', log, (subject) =>
    burstRound(subject, load, burstOf(subject)),
  );
  for (const subject of subjects) {
    await profileRound(subject, 'low', log, () => steadyRound(subject, load, LOW));
    await profileRound(subject, 'burst', log, () => burstRound(subject, load, burstOf(subject)));
  }
  return {
    ...perCpuSecond('low', low),
    ...perCpuSecond('burst', burst),
    'low.p99Ms': median(low.tidegate.map(({ delays }) => delays.p99Ms)),
    'low.ratioToStock': ratio(low, 'stock'),
    'low.ratioToBareWs': ratio(low, 'bareWs'),
    'burst.ratioToStock': ratio(burst, 'stock'),
    'burst.ratioToBareWs': ratio(burst, 'bareWs'),
  };
}

/**
 * Measures one server after the other: all at once would exceed the limit of open files. Each figure is the median of
 * several rounds: a burst from idle and one that follows another may differ by a factor.
 */
async function withMany(directory: string, load: LoadProcess, log: Log): Promise<Figures> {
  const connections = allowedConnections(MANY, log);
  const figures: Figures = {};
  for (const name of subjectNames) {
    log(`${name}: connecting ${connections}`);
    await using subject = await startWarm(name, { connections, load, directory });
    const low: Round[] = [];
    const burst: Round[] = [];
    for (let count = 0; count < MANY_ROUNDS; count++) {
      low.push(await steadyRound(subject, load, LOW_MANY));
      burst.push(await burstRound(subject, load, burstOf(subject)));
    }
    const infix = infixOf(name);
    figures[`lowMany${infix}.deliveriesPerCpuSecond`] = medianPerCpuSecond(low);
    figures[`burstMany${infix}.deliveriesPerCpuSecond`] = medianPerCpuSecond(burst);
    figures[`burstMany${infix}.p99Ms`] = median(burst.map(({ delays }) => delays.p99Ms));
    figures[name === 'tidegate' ? 'rssPerConnectionKb' : `rssPerConnection${infix}Kb`] =
      subject.rssPerConnectionKb;
    log(`${name}: ${low.map(line).join('; ')}`);
    log(`${name}, burst: ${burst.map(line).join('; ')}`);
    log(`${name}: ${subject.rssPerConnectionKb.toFixed(1)} KB a connection`);
  }
  figures['connections'] = connections;
  return figures;
}

/** Measures half load on Kafka, if `KAFKA_BROKERS` is set. */
async function onKafka(directory: string, load: LoadProcess, log: Log): Promise<Figures> {
  const brokers = process.env['KAFKA_BROKERS']?.split(',');
  if (!brokers) {
    log('Kafka is skipped: KAFKA_BROKERS is not set');
    return {};
  }
  return halfLoad('halfLoad.kafka', { directory, load, place: { brokers } }, log);
}

/**
 * Finds the rate of single ticks at which the gateway uses half of its core, then measures at that rate, in turn with a
 * bare broadcast. Half of a burst's throughput would be another rate, because a single tick costs more than one in a
 * batch. Each figure is the median of several rounds: other load on the machine shows first in the 99th percentile.
 */
async function halfLoad(
  name: string,
  options: { directory: string; load: LoadProcess; place: TickLogPlace },
  log: Log,
): Promise<Figures> {
  const { load } = options;
  log(`${name}: connecting ${FEW}`);
  await using bare = await startWarm('bareWs', { connections: FEW, ...options });
  await using subject = await startWarm('tidegate', { connections: FEW, ...options });
  let ticksPerSecond = 10;
  /** Adapts the rate of the next round: the speed of a shared machine varies. */
  const round = async (forMs: number): Promise<Round> => {
    const measured = await steadyRound(subject, load, { ticksPerSecond, forMs });
    ticksPerSecond *= 0.5 / measured.cpuShare;
    return measured;
  };
  for (let probes = 0; probes < PROBES; probes++) await round(PROBE_MS);
  const rounds: Round[] = [];
  const bareRounds: Round[] = [];
  while (rounds.length < HALF_LOAD_ROUNDS) {
    bareRounds.push(await steadyRound(bare, load, { ticksPerSecond, forMs: HALF_LOAD_MS }));
    rounds.push(await round(HALF_LOAD_MS));
  }
  const medianOf = (figure: (round: Round) => number): number => median(rounds.map(figure));
  const figures = {
    [`${name}.ticksPerSecond`]: medianOf(({ deliveriesPerSecond }) => deliveriesPerSecond / FEW),
    [`${name}.cpuShare`]: medianOf(({ cpuShare }) => cpuShare),
    [`${name}.p50Ms`]: medianOf(({ delays }) => delays.p50Ms),
    [`${name}.p99Ms`]: medianOf(({ delays }) => delays.p99Ms),
    [`${name}.fromAskedP99Ms`]: medianOf(({ delays }) => delays.fromAskedP99Ms),
    [`${name}.bareWs.p99Ms`]: median(bareRounds.map(({ delays }) => delays.p99Ms)),
  };
  log(`${name}: ${rounds.map(line).join('; ')}`);
  log(`${name}, bareWs: ${bareRounds.map(line).join('; ')}`);
  return figures;
}

function startWarm(
  name: SubjectName,
  options: Omit<Parameters<typeof startSubject>[1], 'warmUp'>,
): Promise<Subject> {
  const warmUp = burstOf({ name, connections: options.connections }, WARM_UP_MS);
  return startSubject(name, { ...options, warmUp });
}

function burstOf(
  { name, connections }: Pick<Subject, 'name' | 'connections'>,
  forMs = BURST_MS,
): { batchTicks: number; forMs: number } {
  return { batchTicks: (connections > FEW ? MANY_BATCH_TICKS : FEW_BATCH_TICKS)[name], forMs };
}

async function inTurn(
  subjects: readonly Subject[],
  load: string,
  log: Log,
  run: (subject: Subject) => Promise<Round>,
): Promise<Record<SubjectName, Round[]>> {
  const rounds: Record<SubjectName, Round[]> = { tidegate: [], stock: [], bareWs: [] };
  for (let count = 0; count < ROUNDS; count++) {
    for (const subject of subjects) {
      const round = await run(subject);
      rounds[subject.name].push(round);
      log(`${load} ${count + 1}/${ROUNDS} ${subject.name}: ${line(round)}`);
    }
  }
  return rounds;
}

function perCpuSecond(load: string, rounds: Record<SubjectName, Round[]>): Figures {
  return Object.fromEntries(
    subjectNames.map((name) => [
      `${load}${infixOf(name)}.deliveriesPerCpuSecond`,
      medianPerCpuSecond(rounds[name]),
    ]),
  );
}

function medianPerCpuSecond(rounds: readonly Round[]): number {
  return median(rounds.map(({ deliveriesPerCpuSecond }) => deliveriesPerCpuSecond));
}

/** Returns the median ratio of neighbouring rounds. */
function ratio(rounds: Record<SubjectName, Round[]>, to: SubjectName): number {
  return median(
    rounds.tidegate.map(
      (round, index) => round.deliveriesPerCpuSecond / rounds[to][index]!.deliveriesPerCpuSecond,
    ),
  );
}

function infixOf(name: SubjectName): string {
  return name === 'tidegate' ? '' : `.${name}`;
}

function line({ deliveriesPerCpuSecond, deliveriesPerSecond, delays }: Round): string {
  return `${(deliveriesPerCpuSecond / 1000).toFixed(0)} k per CPU-second (${(deliveriesPerSecond / 1000).toFixed(0)} k/s), p99 ${delays.p99Ms.toFixed(1)} ms`;
}

const fanout: Measurement = {
  description:
    'one event to 1,000 and 10,000 subscribers, beside a stock GraphQL server and a bare WebSocket broadcast',
  measure,
};
export default fanout;
