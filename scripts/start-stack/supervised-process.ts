import { backoffMs, delay } from '@tidegate/runtime/resilience';
import { startChild, type Child } from '@tidegate/testing';

export interface SupervisedOptions {
  readonly name: string;
  readonly entry: string;
  readonly env: Readonly<Record<string, string>>;
  readonly url: string;
  /** Whether a process that died by itself or by `kill` is started again. */
  readonly restarts: boolean;
  readonly onLine: (line: string) => void;
}

/** One process that is kept alive until `stop`. */
export interface SupervisedProcess {
  readonly name: string;
  readonly url: string;
  /** Undefined while it is down. */
  readonly pid: number | undefined;
  /** Sends the signal to it; resolves when it is gone, SIGSTOP and SIGCONT at once. Nothing when it is down. */
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Ends it if it runs and starts it at once, without waiting for the backoff. */
  restart(): Promise<void>;
  /** What `/readyz` answers: its status, or 0 when nothing answers. */
  readiness(): Promise<{ status: number; body: string }>;
  /** SIGTERM, after ten seconds SIGKILL. It is not started again. Idempotent. */
  stop(): Promise<void>;
}

/** A process that ran this long did not fail because of how it was started: the backoff begins anew. */
const SETTLED_AFTER_MS = 30_000;
const STOP_WITHIN_MS = 10_000;

export function superviseProcess(options: SupervisedOptions): SupervisedProcess {
  const { name, url, onLine } = options;
  let child: Child | undefined;
  let failures = 0;
  let stopped = false;
  let wait = new AbortController();

  function start(): void {
    const startedAt = Date.now();
    const current = startChild(options.entry, options.env, { onLine, ownGroup: true });
    child = current;
    void current.exited.then(({ code, signal }) => {
      if (child !== current) return;
      child = undefined;
      if (stopped) return;
      failures = Date.now() - startedAt > SETTLED_AFTER_MS ? 1 : failures + 1;
      onLine(`*** ${name} died (${signal ?? `exit code ${code}`})`);
      if (options.restarts) void startLater();
    });
  }

  async function startLater(): Promise<void> {
    // At least half a second: a process that cannot start must not keep a processor busy.
    const waitMs = 500 + backoffMs(failures, { firstMs: 500, maxMs: 15_000 });
    onLine(`*** ${name} is started again in ${waitMs} ms`);
    const waiting = new AbortController();
    wait = waiting;
    await delay(waitMs, waiting.signal).catch(() => {});
    if (!waiting.signal.aborted && !stopped && child === undefined) start();
  }

  /** Takes it out of supervision first, so that its end is not taken for a death. */
  async function end(): Promise<void> {
    wait.abort();
    const current = child;
    child = undefined;
    if (!current) return;
    const timer = setTimeout(() => {
      onLine(`*** ${name} did not stop within ${STOP_WITHIN_MS} ms and is killed`);
      void current.kill('SIGKILL');
    }, STOP_WITHIN_MS);
    await current.kill('SIGTERM');
    clearTimeout(timer);
  }

  async function kill(signal: NodeJS.Signals): Promise<void> {
    if (!child) return;
    // A process that is frozen or thawed does not end, there is nothing to wait for.
    if (signal === 'SIGSTOP' || signal === 'SIGCONT') process.kill(child.pid, signal);
    else await child.kill(signal);
  }

  start();
  return {
    name,
    url,
    get pid() {
      return child?.pid;
    },
    kill,
    restart: async () => {
      await end();
      if (!stopped) start();
    },
    readiness: () => readiness(url),
    stop: async () => {
      stopped = true;
      await end();
    },
  };
}

async function readiness(url: string): Promise<{ status: number; body: string }> {
  try {
    const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(2_000) });
    return { status: response.status, body: (await response.text()).slice(0, 500) };
  } catch {
    return { status: 0, body: 'does not answer' };
  }
}
