import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { repositoryRoot } from '@tidegate/testing';

/** A reader's terminals: variables stay, and commands that go on run beside the others. */
export class ShellSession implements AsyncDisposable {
  readonly #env: Record<string, string | undefined>;
  readonly #running = new Set<ChildProcess>();

  /** @param env variables beside those of this process. */
  constructor(env: Readonly<Record<string, string>>) {
    this.#env = { ...process.env, JWT_SECRET: undefined, CURSOR_SECRETS: undefined, ...env };
  }

  /** Runs a command to its end and returns its output. @throws Error with the output when it fails. */
  async run(command: string): Promise<string> {
    const [, name] = /^([A-Z_]+)=/.exec(command) ?? [];
    const { child, output } = this.start(name ? `${command}; printf %s "$${name}"` : command);
    const [code] = (await once(child, 'close')) as [number | null];
    if (code !== 0) throw new Error(`${command} ended with ${code}: ${output()}`);
    if (name) this.#env[name] = output();
    return output();
  }

  /** Starts a command that goes on until the session ends. */
  start(command: string): { readonly child: ChildProcess; readonly output: () => string } {
    const options = { cwd: repositoryRoot, env: this.#env, detached: true } as const;
    const child = spawn('bash', ['-euo', 'pipefail', '-c', command], options);
    this.#running.add(child);
    child.once('close', () => this.#running.delete(child));
    let output = '';
    child.stdout.on('data', (chunk) => (output += String(chunk)));
    child.stderr.on('data', (chunk) => (output += String(chunk)));
    return { child, output: () => output };
  }

  /** Ends the commands that still run, with their children. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      [...this.#running].map(async (child) => {
        const closed = once(child, 'close');
        process.kill(-child.pid!, 'SIGTERM');
        await closed;
      }),
    );
  }
}
