import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

export interface ChildExit {
  /** Exit code; null when a signal ended the process. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ChildOptions {
  /** Arguments of the entry file. Default: none. */
  readonly args?: readonly string[];
  /** Working directory. Default: the root of the repository. */
  readonly cwd?: string;
  /** Starts a process group of its own, so that Ctrl-C in the terminal does not reach the child. Default false. */
  readonly ownGroup?: boolean;
  /** Called with each line of output. */
  readonly onLine?: (line: string) => void;
}

/** A running process. It is killed when its `await using` block ends. */
export interface Child extends AsyncDisposable {
  readonly pid: number;
  /** Lines of stdout and stderr, oldest first. Only the newest 10,000 are kept. */
  readonly lines: readonly string[];
  /** Resolves when the process has exited and its output was read. Never rejects. */
  readonly exited: Promise<ChildExit>;
  /**
   * Resolves to the first matching line, earlier output included.
   *
   * @param match a part of the line or a pattern.
   * @param timeoutMs default 15 s.
   * @throws Error with the last lines when the child exits or the time ends before a line matches.
   */
  waitForLine(match: string | RegExp, timeoutMs?: number): Promise<string>;
  /** Sends a signal to this process only and resolves when it has exited. Default SIGTERM. */
  kill(signal?: NodeJS.Signals): Promise<ChildExit>;
}

export const repositoryRoot = fileURLToPath(new URL('../../../', import.meta.url));

/** Path of Node from the npm package `node`. The machine's own `node` may be older. */
export const nodeBinary = join(repositoryRoot, 'node_modules', '.bin', 'node');

const MAX_LINES = 10_000;
/** NODE_COMPILE_CACHE only makes a process start faster; TIDEGATE_TEST_RUN names the test run, for its end. */
const inheritedVariables = [
  'PATH',
  'HOME',
  'LANG',
  'TZ',
  'TMPDIR',
  'NODE_COMPILE_CACHE',
  'TIDEGATE_TEST_RUN',
];

/**
 * Runs a TypeScript file in a process of its own. The child gets `env` and a few system variables (PATH, HOME …), so a
 * developer's environment cannot change a test. It is killed at the latest when this process exits.
 *
 * @param entry path relative to the root of the repository.
 *
 * @example
 * await using child = startChild('src/main.ts', { PORT: '4000' });
 * await child.waitForLine('ready');
 */
export function startChild(
  entry: string,
  env: Readonly<Record<string, string>> = {},
  options: ChildOptions = {},
): Child {
  return new SpawnedChild(entry, env, options);
}

const runningChildren = new Set<ChildProcessByStdio<null, Readable, Readable>>();

// A test run that is interrupted must not leave processes behind.
process.on('exit', () => {
  for (const child of runningChildren) child.kill('SIGKILL');
});

class SpawnedChild implements Child {
  readonly lines: string[] = [];
  readonly exited: Promise<ChildExit>;
  readonly #entry: string;
  readonly #process: ChildProcessByStdio<null, Readable, Readable>;
  readonly #watchers = new Set<(line: string) => void>();

  constructor(entry: string, env: Readonly<Record<string, string>>, options: ChildOptions) {
    const { args = [], cwd = repositoryRoot, ownGroup = false, onLine } = options;
    this.#entry = entry;
    this.#process = spawn(nodeBinary, [join(repositoryRoot, entry), ...args], {
      cwd,
      env: { ...inheritedEnvironment(), ...env },
      detached: ownGroup,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    runningChildren.add(this.#process);
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        this.#keep(line);
        onLine?.(line);
        for (const watch of this.#watchers) watch(line);
      });
    }
    this.exited = this.#waitForExit();
  }

  get pid(): number {
    return this.#process.pid ?? -1;
  }

  waitForLine(match: string | RegExp, timeoutMs = 15_000): Promise<string> {
    const matches = (line: string): boolean =>
      typeof match === 'string' ? line.includes(match) : match.test(line);
    const seen = this.lines.find(matches);
    if (seen !== undefined) return Promise.resolve(seen);
    return new Promise((resolve, reject) => {
      const fail = (why: string): void => {
        finish();
        const output = this.lines.slice(-20).join('\n');
        reject(new Error(`${this.#entry} did not print ${match}: ${why}\n${output}`));
      };
      const watch = (line: string): void => {
        if (!matches(line)) return;
        finish();
        resolve(line);
      };
      const timer = setTimeout(() => fail(`not within ${timeoutMs} ms`), timeoutMs);
      const finish = (): void => {
        clearTimeout(timer);
        this.#watchers.delete(watch);
      };
      this.#watchers.add(watch);
      void this.exited.then(
        ({ code, signal }) => this.#watchers.has(watch) && fail(`it exited with ${code ?? signal}`),
      );
    });
  }

  kill(signal: NodeJS.Signals = 'SIGTERM'): Promise<ChildExit> {
    this.#process.kill(signal);
    return this.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill('SIGKILL');
  }

  #keep(line: string): void {
    if (this.lines.push(line) > MAX_LINES) this.lines.shift();
  }

  #waitForExit(): Promise<ChildExit> {
    return new Promise((resolve) => {
      this.#process.once('error', (error) => this.#keep(String(error)));
      this.#process.once('close', (code, signal) => {
        runningChildren.delete(this.#process);
        resolve({ code, signal });
      });
    });
  }
}

function inheritedEnvironment(): Record<string, string> {
  return Object.fromEntries(
    inheritedVariables.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])),
  );
}
