import { backoffMs, delay } from '@tidegate/runtime/resilience';
import { startChild, type Child } from '@tidegate/testing';

export interface SupervisedProcessOptions {
  readonly name: string;
  readonly entry: string;
  readonly env: Readonly<Record<string, string>>;
  readonly url: string;
  /** Starts the process again, with backoff, when it died by itself or by `kill`. */
  readonly restarts: boolean;
  readonly onLine: (line: string) => void;
}

/** One process that is kept running until `stop`. */
export interface SupervisedProcess {
  readonly name: string;
  readonly url: string;
  /** Undefined while the process is down. */
  readonly pid: number | undefined;
  /**
   * Sends a signal. Resolves when the process is gone, or at once for SIGSTOP and SIGCONT. Has no effect while it is
   * down.
   */
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Ends the process if it runs and starts it at once, without backoff. */
  restart(): Promise<void>;
  /** Resolves with status and body of `/readyz`; the status is 0 without an answer. */
  readiness(): Promise<{ status: number; body: string }>;
  /** Sends SIGTERM, after ten seconds SIGKILL. The process is not started again. Idempotent. */
  stop(): Promise<void>;
}

/** After this runtime the start itself has succeeded: the next failure begins a new backoff. */
const SETTLED_AFTER_MS = 30_000;
const STOP_WITHIN_MS = 10_000;

/** Starts a process and keeps it running. */
export function startSupervisedProcess(options: SupervisedProcessOptions): SupervisedProcess {
  const supervised = new SupervisedChild(options);
  supervised.start();
  return supervised;
}

class SupervisedChild implements SupervisedProcess {
  readonly #options: SupervisedProcessOptions;
  #child: Child | undefined;
  #failures = 0;
  #stopped = false;
  #backoff = new AbortController();

  constructor(options: SupervisedProcessOptions) {
    this.#options = options;
  }

  get name(): string {
    return this.#options.name;
  }

  get url(): string {
    return this.#options.url;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  start(): void {
    const { entry, env, onLine } = this.#options;
    const startedAt = Date.now();
    const child = startChild(entry, env, { onLine, ownGroup: true });
    this.#child = child;
    void child.exited.then(({ code, signal }) => {
      if (this.#child !== child) return;
      this.#child = undefined;
      if (!this.#stopped) this.#died(signal ?? `exit code ${code}`, Date.now() - startedAt);
    });
  }

  async kill(signal: NodeJS.Signals): Promise<void> {
    if (!this.#child) return;
    // These signals do not end the process.
    if (signal === 'SIGSTOP' || signal === 'SIGCONT') process.kill(this.#child.pid, signal);
    else await this.#child.kill(signal);
  }

  async restart(): Promise<void> {
    await this.#end();
    if (!this.#stopped) this.start();
  }

  readiness(): Promise<{ status: number; body: string }> {
    return readiness(this.url);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#end();
  }

  #died(reason: string, ranMs: number): void {
    this.#failures = ranMs > SETTLED_AFTER_MS ? 1 : this.#failures + 1;
    this.#options.onLine(`*** ${this.name} died (${reason})`);
    if (this.#options.restarts) void this.#startLater();
  }

  async #startLater(): Promise<void> {
    // At least half a second: a process that cannot start must not keep a processor busy.
    const waitMs = 500 + backoffMs(this.#failures, { firstMs: 500, maxMs: 15_000 });
    this.#options.onLine(`*** ${this.name} is started again in ${waitMs} ms`);
    const backoff = new AbortController();
    this.#backoff = backoff;
    await delay(waitMs, backoff.signal).catch(() => {});
    if (!backoff.signal.aborted && !this.#stopped && this.#child === undefined) this.start();
  }

  /** Forgets the child before it ends it, so that the exit does not count as a failure. */
  async #end(): Promise<void> {
    this.#backoff.abort();
    const child = this.#child;
    this.#child = undefined;
    if (!child) return;
    const timer = setTimeout(() => {
      this.#options.onLine(`*** ${this.name} did not stop within ${STOP_WITHIN_MS} ms and is killed`);
      void child.kill('SIGKILL');
    }, STOP_WITHIN_MS);
    await child.kill('SIGTERM');
    clearTimeout(timer);
  }
}

async function readiness(url: string): Promise<{ status: number; body: string }> {
  try {
    const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(2_000) });
    return { status: response.status, body: (await response.text()).slice(0, 500) };
  } catch {
    return { status: 0, body: 'does not answer' };
  }
}
