import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ChildOptions {
  readonly args?: readonly string[];
  /** Default: the repository's root. */
  readonly cwd?: string;
  /** Out of the reach of a Ctrl-C in this terminal: whoever starts it ends it, in the order it chooses. */
  readonly ownGroup?: boolean;
  /** Every line as it comes, for tests that follow along. */
  readonly onLine?: (line: string) => void;
}

export interface Child extends AsyncDisposable {
  readonly pid: number;
  /** What it wrote on stdout and stderr, oldest first; of a chatty child only the newest ten thousand lines. */
  readonly lines: readonly string[];
  /** Resolves when the process is gone and its output read. Never rejects. */
  readonly exited: Promise<ChildExit>;
  /**
   * Resolves with the first line, past or future, that matches. Rejects when the child exits or `timeoutMs`
   * (default 15 s) passes without it; the message holds the child's last lines.
   */
  waitForLine(match: string | RegExp, timeoutMs?: number): Promise<string>;
  /** Sends the signal (default SIGTERM) to this process and to no other; resolves when it is gone. */
  kill(signal?: NodeJS.Signals): Promise<ChildExit>;
}

export const repositoryRoot = fileURLToPath(new URL('../../../', import.meta.url));

/** Node 24 from the npm package: what the machine calls `node` may be older. */
export const nodeBinary = join(repositoryRoot, 'node_modules', '.bin', 'node');

const LINES_KEPT = 10_000;
/** The last one is where Node keeps what it compiled: it changes how soon a process starts and nothing else. */
const inherited = ['PATH', 'HOME', 'LANG', 'TZ', 'TMPDIR', 'NODE_COMPILE_CACHE'];
const running = new Set<() => void>();

// A test run that is cut short must not leave servers behind.
process.on('exit', () => {
  for (const kill of running) kill();
});

/**
 * Runs a TypeScript entry file (relative to the repository's root) in a process of its own. The child sees `env`
 * and the bare necessities (PATH, HOME), so that a developer's own variables cannot change a test.
 */
export function startChild(
  entry: string,
  env: Readonly<Record<string, string>> = {},
  { args = [], cwd = repositoryRoot, ownGroup = false, onLine }: ChildOptions = {},
): Child {
  const child = spawn(nodeBinary, [join(repositoryRoot, entry), ...args], {
    cwd,
    env: { ...necessities(), ...env },
    detached: ownGroup,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  const watchers = new Set<(line: string) => void>();
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      if (lines.push(line) > LINES_KEPT) lines.shift();
      onLine?.(line);
      for (const watch of watchers) watch(line);
    });
  }

  const killNow = (): void => void child.kill('SIGKILL');
  running.add(killNow);
  const exited = new Promise<ChildExit>((resolve) => {
    child.once('error', (error) => lines.push(String(error)));
    child.once('close', (code, signal) => {
      running.delete(killNow);
      resolve({ code, signal });
    });
  });

  function waitForLine(match: string | RegExp, timeoutMs = 15_000): Promise<string> {
    const matches = (line: string): boolean =>
      typeof match === 'string' ? line.includes(match) : match.test(line);
    const seen = lines.find(matches);
    if (seen !== undefined) return Promise.resolve(seen);
    return new Promise((resolve, reject) => {
      const fail = (why: string): void => {
        finish();
        reject(new Error(`${entry} did not print ${match}: ${why}\n${lines.slice(-20).join('\n')}`));
      };
      const watch = (line: string): void => {
        if (!matches(line)) return;
        finish();
        resolve(line);
      };
      const timer = setTimeout(() => fail(`not within ${timeoutMs} ms`), timeoutMs);
      const finish = (): void => {
        clearTimeout(timer);
        watchers.delete(watch);
      };
      watchers.add(watch);
      void exited.then(({ code, signal }) => watchers.has(watch) && fail(`it exited with ${code ?? signal}`));
    });
  }

  function kill(signal: NodeJS.Signals = 'SIGTERM'): Promise<ChildExit> {
    child.kill(signal);
    return exited;
  }

  return {
    pid: child.pid ?? -1,
    lines,
    exited,
    waitForLine,
    kill,
    [Symbol.asyncDispose]: async () => {
      await kill('SIGKILL');
    },
  };
}

function necessities(): Record<string, string> {
  return Object.fromEntries(
    inherited.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])),
  );
}
