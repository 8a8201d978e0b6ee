import { delay } from '@tidegate/runtime/resilience';
import { environmentOf, processes, type ProcessName, type ProcessSpec } from '../processes.ts';
import { superviseProcess, type SupervisedProcess } from './supervised-process.ts';

export interface StartProcessesOptions {
  /** KAFKA_BROKERS, DATABASE_URL, REDIS_URL, JWT_SECRET, CURSOR_SECRETS; LOG_LEVEL and the like if wanted. */
  readonly stackEnv: Readonly<Record<string, string | undefined>>;
  /** Added to every port of the table, so that a test runs beside a developer's own. Default 0. */
  readonly portOffset?: number;
  /** Single ports, stronger than the offset. */
  readonly ports?: Partial<Record<ProcessName, number>>;
  /** More variables for single processes, e.g. a provider that shall be slow. */
  readonly extraEnv?: Partial<Record<ProcessName, Record<string, string>>>;
  /** Only these. Default: all. */
  readonly only?: readonly ProcessName[];
  /** Whether a process that dies is started again with backoff. Default true. */
  readonly restarts?: boolean;
  readonly onLine?: (name: ProcessName, line: string) => void;
  /** For tests of this file itself. Default: the production shape. */
  readonly table?: readonly ProcessSpec[];
}

export interface Platform extends AsyncDisposable {
  readonly urls: Readonly<Record<ProcessName, string>>;
  pid(name: ProcessName): number | undefined;
  /**
   * Resolves when `/readyz` of each answers 200. Rejects after `timeoutMs` (default: never) or when `signal` aborts.
   * `onWaiting` hears every five seconds which are not ready and what they say.
   */
  ready(options?: ReadyOptions): Promise<void>;
  /** Resolves when the process is gone. With `restarts` it comes back by itself, else by `restart`. */
  kill(name: ProcessName, signal?: NodeJS.Signals): Promise<void>;
  /** Ends it if it runs, starts it at once, resolves when it is ready (within a minute). */
  restart(name: ProcessName): Promise<void>;
  /** Stops all, the edge first, one after the other. Idempotent. */
  stop(): Promise<void>;
}

export interface ReadyOptions {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  readonly onWaiting?: (line: string) => void;
}

const TELL_EVERY_MS = 5_000;

/** Starts every process of the table, natively, each with the environment the table gives it. */
export function startProcesses(options: StartProcessesOptions): Platform {
  const {
    stackEnv,
    portOffset = 0,
    ports = {},
    extraEnv = {},
    onLine = () => {},
    table = processes,
  } = options;
  const host = '127.0.0.1';
  const portOf = (name: ProcessName): number => ports[name] ?? specOf(name).port + portOffset;
  const urlOf = (name: ProcessName): string => `http://${host}:${portOf(name)}`;

  const chosen = table.filter(({ name }) => options.only?.includes(name) ?? true);
  // Every environment first: a missing variable shall stop this before anything runs.
  const environments = chosen.map((spec) => environmentOf(spec, { env: stackEnv, host, urlOf, portOf }));
  const running = chosen.map(({ name, entry }, index) =>
    superviseProcess({
      name,
      entry,
      env: { ...environments[index], ...extraEnv[name] },
      url: urlOf(name),
      restarts: options.restarts ?? true,
      onLine: (line) => onLine(name, line),
    }),
  );

  function find(name: ProcessName): SupervisedProcess {
    const found = running.find((process) => process.name === name);
    if (!found) throw new Error(`${name} is not one of the started processes`);
    return found;
  }

  async function stop(): Promise<void> {
    for (const process of running.toReversed()) await process.stop();
  }

  return {
    urls: Object.fromEntries(processes.map(({ name }) => [name, urlOf(name)])) as Record<ProcessName, string>,
    pid: (name) => find(name).pid,
    ready: (readyOptions = {}) => untilReady(running, readyOptions),
    kill: (name, signal = 'SIGKILL') => find(name).kill(signal),
    restart: async (name) => {
      await find(name).restart();
      await untilReady([find(name)], { timeoutMs: 60_000 });
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function untilReady(
  wanted: readonly SupervisedProcess[],
  { timeoutMs = Infinity, signal, onWaiting }: ReadyOptions,
): Promise<void> {
  const startedAt = Date.now();
  let tellAt = startedAt + TELL_EVERY_MS;
  let waiting = wanted;
  for (;;) {
    const answers = await Promise.all(waiting.map((process) => process.readiness()));
    const states = waiting.map(
      ({ name }, index) => `${name} (${answers[index]?.status || 'down'}: ${answers[index]?.body})`,
    );
    const notReady = (_: unknown, index: number): boolean => answers[index]?.status !== 200;
    waiting = waiting.filter(notReady);
    if (waiting.length === 0) return;
    const told = `not ready yet: ${states.filter(notReady).join('; ')}`;
    if (Date.now() - startedAt > timeoutMs) throw new Error(`${told}, after ${timeoutMs} ms`);
    if (Date.now() > tellAt) {
      onWaiting?.(told);
      tellAt += TELL_EVERY_MS;
    }
    await delay(100, signal);
  }
}

function specOf(name: ProcessName): (typeof processes)[number] {
  const spec = processes.find((candidate) => candidate.name === name);
  if (!spec) throw new Error(`there is no process ${name}`);
  return spec;
}
