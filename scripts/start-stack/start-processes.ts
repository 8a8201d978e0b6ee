import { delay } from '@tidegate/runtime/resilience';
import { environmentOf, processes, type ProcessName, type ProcessSpec } from '../processes.ts';
import { startSupervisedProcess, type SupervisedProcess } from './supervised-process.ts';

export interface StartProcessesOptions {
  /** KAFKA_BROKERS, DATABASE_URL, REDIS_URL, JWT_SECRET, CURSOR_SECRETS; optionally LOG_LEVEL and others. */
  readonly stackEnv: Readonly<Record<string, string | undefined>>;
  /** Added to every port of the table, so that a test can run beside a developer's platform. Default 0. */
  readonly portOffset?: number;
  /** Ports of single processes; they override the offset. */
  readonly ports?: Partial<Record<ProcessName, number>>;
  /** Additional variables of single processes, e.g. to slow down a provider. */
  readonly extraEnv?: Partial<Record<ProcessName, Record<string, string>>>;
  /** Processes to start. Default: all. */
  readonly only?: readonly ProcessName[];
  /** Starts a process that dies again, with backoff. Default true. */
  readonly restarts?: boolean;
  readonly onLine?: (name: ProcessName, line: string) => void;
  /** Table of processes; replaced by tests. Default: the production shape. */
  readonly table?: readonly ProcessSpec[];
}

export interface Platform extends AsyncDisposable {
  readonly urls: Readonly<Record<ProcessName, string>>;
  pid(name: ProcessName): number | undefined;
  /**
   * Resolves when `/readyz` of each process answers 200. Rejects after `timeoutMs` (default: never) or when `signal`
   * aborts. Calls `onWaiting` every five seconds with the processes that are not ready and their answers.
   */
  ready(options?: ReadyOptions): Promise<void>;
  /** Resolves when the process is gone. With `restarts` it starts again by itself, otherwise by `restart`. */
  kill(name: ProcessName, signal?: NodeJS.Signals): Promise<void>;
  /** Ends the process if it runs and starts it at once. Resolves when it is ready, rejects after one minute. */
  restart(name: ProcessName): Promise<void>;
  /** Stops all processes one after the other, the edge first. Idempotent. */
  stop(): Promise<void>;
}

export interface ReadyOptions {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  readonly onWaiting?: (line: string) => void;
}

const REPORT_EVERY_MS = 5_000;

/** Starts every process of the table natively, each with its environment. */
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
  // Builds every environment first: a missing variable throws before any process runs.
  const environments = chosen.map((spec) => environmentOf(spec, { env: stackEnv, host, urlOf, portOf }));
  const running = chosen.map(({ name, entry }, index) =>
    startSupervisedProcess({
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
  processes: readonly SupervisedProcess[],
  { timeoutMs = Infinity, signal, onWaiting }: ReadyOptions,
): Promise<void> {
  const startedAt = Date.now();
  let reportAt = startedAt + REPORT_EVERY_MS;
  let waiting = processes;
  for (;;) {
    const answers = await Promise.all(waiting.map((process) => process.readiness()));
    const states = waiting.map(
      ({ name }, index) => `${name} (${answers[index]?.status || 'down'}: ${answers[index]?.body})`,
    );
    const notReady = (_: unknown, index: number): boolean => answers[index]?.status !== 200;
    waiting = waiting.filter(notReady);
    if (waiting.length === 0) return;
    const report = `not ready yet: ${states.filter(notReady).join('; ')}`;
    if (Date.now() - startedAt > timeoutMs) throw new Error(`${report}, after ${timeoutMs} ms`);
    if (Date.now() > reportAt) {
      onWaiting?.(report);
      reportAt += REPORT_EVERY_MS;
    }
    await delay(100, signal);
  }
}

function specOf(name: ProcessName): (typeof processes)[number] {
  const spec = processes.find((candidate) => candidate.name === name);
  if (!spec) throw new Error(`there is no process ${name}`);
  return spec;
}
