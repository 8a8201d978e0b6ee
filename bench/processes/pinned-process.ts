import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Answer, Handlers } from './requests.ts';

/** A process of a measurement, on a core of its own where the machine has taskset and more than one. */
export interface PinnedProcess<Ready, Names extends Handlers> extends AsyncDisposable {
  readonly pid: number;
  /** What it said when it was ready. */
  readonly ready: Ready;
  /** Resolves with the answer; rejects when the process failed or is gone. */
  request<Name extends keyof Names & string>(
    name: Name,
    argument: Parameters<Names[Name]>[0],
  ): Promise<Awaited<ReturnType<Names[Name]>>>;
  /** Does not wait for anything. */
  tell<Name extends keyof Names & string>(name: Name, argument: Parameters<Names[Name]>[0]): void;
  /** SIGKILL: as a crash, or to end it. Idempotent. */
  kill(): Promise<void>;
}

export interface PinnedProcessOptions {
  /** Relative to `bench/`. */
  readonly entry: string;
  readonly core: number;
  /** Handed over as JSON in `BENCH_OPTIONS`. */
  readonly options: unknown;
  readonly nodeFlags?: readonly string[];
}

/** Where the servers under measurement run, and where what makes their load runs. */
export const SERVER_CORE = 0;
export const LOAD_CORE = 1;

const canPin = cpus().length > 1 && spawnSync('taskset', ['--version']).status === 0;

/** Starts it and resolves when it has said that it is ready. @throws Error when it exits before. */
export async function startPinnedProcess<Ready, Names extends Handlers>(
  options: PinnedProcessOptions,
): Promise<PinnedProcess<Ready, Names>> {
  const child = spawnPinned(options);
  const waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  const exited = once(child, 'exit').then(([code, signal]) => {
    const error = new Error(`${options.entry} exited (${String(signal ?? code)})`);
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
    return error;
  });
  const ready = new Promise<Ready>((resolve) => {
    child.on('message', (message: Answer | { ready: Ready }) => {
      if ('ready' in message) return resolve(message.ready);
      const waiter = waiting.get(message.id);
      waiting.delete(message.id);
      if ('error' in message) waiter?.reject(new Error(message.error));
      else waiter?.resolve(message.value as never);
    });
  });
  const facts = await Promise.race([ready, exited.then((error) => Promise.reject(error))]);
  let lastId = 0;
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exited;
  };
  return {
    pid: child.pid!,
    ready: facts,
    request: (name, argument) =>
      new Promise((resolve, reject) => {
        if (!child.connected) return reject(new Error(`${options.entry} is gone`));
        const id = ++lastId;
        waiting.set(id, { resolve, reject });
        child.send({ id, name, argument });
      }),
    tell: (name, argument) => void child.send({ name, argument }),
    kill,
    [Symbol.asyncDispose]: kill,
  };
}

function spawnPinned({ entry, core, options, nodeFlags = [] }: PinnedProcessOptions): ChildProcess {
  const path = fileURLToPath(new URL(`../${entry}`, import.meta.url));
  const node = [process.execPath, ...nodeFlags, path];
  const [command, ...args] = canPin ? ['taskset', '-c', String(core), ...node] : node;
  // Node raises its own limit of open files as far as it is allowed: nothing to do about it here.
  return spawn(command!, args, {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, BENCH_OPTIONS: JSON.stringify(options) },
  });
}

/**
 * Moves this process, which appends as a service would, to the servers' core: a core that receives a thousand messages
 * after each event would have the next event wait.
 */
export function joinServerCore(): void {
  if (canPin) spawnSync('taskset', ['-acp', String(SERVER_CORE), String(process.pid)]);
}

/** In the started process: the options it was started with. */
export function benchOptions(): unknown {
  return JSON.parse(process.env['BENCH_OPTIONS'] ?? '{}');
}
