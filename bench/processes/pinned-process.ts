import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Answer, Handlers } from './requests.ts';

/** A process of a measurement, pinned to a core of its own where the machine has `taskset` and several cores. */
export interface PinnedProcess<Ready, Names extends Handlers> extends AsyncDisposable {
  readonly pid: number;
  /** Facts that the process reported when it was ready. */
  readonly ready: Ready;
  /** Resolves with the answer. Rejects when the handler fails or the process is gone. */
  request<Name extends keyof Names & string>(
    name: Name,
    argument: Parameters<Names[Name]>[0],
  ): Promise<Awaited<ReturnType<Names[Name]>>>;
  /** Sends a request without waiting for an answer. */
  tell<Name extends keyof Names & string>(name: Name, argument: Parameters<Names[Name]>[0]): void;
  /** Sends SIGKILL and resolves when the process has exited. Idempotent. */
  kill(): Promise<void>;
}

export interface PinnedProcessOptions {
  /** Path of the module, relative to `bench/`. */
  readonly entry: string;
  readonly core: number;
  /** Passed as JSON in `BENCH_OPTIONS`. */
  readonly options: unknown;
  readonly nodeFlags?: readonly string[];
}

/** Cores of the servers under measurement and of the load generator. */
export const SERVER_CORE = 0;
export const LOAD_CORE = 1;

const canPin = cpus().length > 1 && spawnSync('taskset', ['--version']).status === 0;

/** Resolves when the process reports that it is ready. @throws Error when it exits before. */
export async function startPinnedProcess<Ready, Names extends Handlers>(
  options: PinnedProcessOptions,
): Promise<PinnedProcess<Ready, Names>> {
  const child = new PinnedChild<Ready, Names>(options);
  await child.start();
  return child;
}

interface PendingRequest {
  readonly resolve: (value: never) => void;
  readonly reject: (error: Error) => void;
}

class PinnedChild<Ready, Names extends Handlers> implements PinnedProcess<Ready, Names> {
  readonly #entry: string;
  readonly #child: ChildProcess;
  readonly #pending = new Map<number, PendingRequest>();
  /** Resolves with the error of every pending request. */
  readonly #exited: Promise<Error>;
  readonly #ready = Promise.withResolvers<Ready>();
  #facts: Ready | undefined;
  #lastId = 0;

  constructor(options: PinnedProcessOptions) {
    this.#entry = options.entry;
    this.#child = spawnPinned(options);
    this.#exited = once(this.#child, 'exit').then(([code, signal]) => this.#failPending(signal ?? code));
    this.#child.on('message', (message: Answer | { ready: Ready }) => this.#receive(message));
  }

  get pid(): number {
    return this.#child.pid!;
  }

  get ready(): Ready {
    return this.#facts!;
  }

  async start(): Promise<void> {
    const failed = this.#exited.then((error) => Promise.reject(error));
    this.#facts = await Promise.race([this.#ready.promise, failed]);
  }

  request<Name extends keyof Names & string>(
    name: Name,
    argument: Parameters<Names[Name]>[0],
  ): Promise<Awaited<ReturnType<Names[Name]>>> {
    return new Promise((resolve, reject) => {
      if (!this.#child.connected) return reject(new Error(`${this.#entry} is gone`));
      const id = (this.#lastId += 1);
      this.#pending.set(id, { resolve, reject });
      this.#child.send({ id, name, argument });
    });
  }

  tell<Name extends keyof Names & string>(name: Name, argument: Parameters<Names[Name]>[0]): void {
    this.#child.send({ name, argument });
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }

  #receive(message: Answer | { ready: Ready }): void {
    if ('ready' in message) return this.#ready.resolve(message.ready);
    const pending = this.#pending.get(message.id);
    this.#pending.delete(message.id);
    if ('error' in message) pending?.reject(new Error(message.error));
    else pending?.resolve(message.value as never);
  }

  #failPending(exit: unknown): Error {
    const error = new Error(`${this.#entry} exited (${String(exit)})`);
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
    return error;
  }
}

function spawnPinned({ entry, core, options, nodeFlags = [] }: PinnedProcessOptions): ChildProcess {
  const path = fileURLToPath(new URL(`../${entry}`, import.meta.url));
  const node = [process.execPath, ...nodeFlags, path];
  const [command, ...args] = canPin ? ['taskset', '-c', String(core), ...node] : node;
  // Node itself raises its soft limit of open files to the hard limit.
  return spawn(command!, args, {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, BENCH_OPTIONS: JSON.stringify(options) },
  });
}

/**
 * Moves this process, which appends as a service would, to the servers' core. On the load generator's core the next
 * append would wait while a thousand messages are read.
 */
export function joinServerCore(): void {
  if (canPin) spawnSync('taskset', ['-acp', String(SERVER_CORE), String(process.pid)]);
}

/** Returns, in the started process, the options of `startPinnedProcess`. */
export function benchOptions(): unknown {
  return JSON.parse(process.env['BENCH_OPTIONS'] ?? '{}');
}
