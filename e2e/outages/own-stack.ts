import { freePorts, temporaryDirectory, until } from '@tidegate/testing';
import { stackPids, startStack, type Stack, type StackOptions } from '../../scripts/stack/stack.ts';

export type BackendName = keyof Stack['versions'];

/** Signals that end each backend at once, or as fast as its data allows. */
const endSignals: Record<BackendName, NodeJS.Signals> = {
  Kafka: 'SIGKILL',
  Redis: 'SIGKILL',
  Postgres: 'SIGINT',
};

/** Kafka, Postgres and Redis of one test, which it may stop and start without disturbing others. */
export class OwnStack implements AsyncDisposable {
  readonly env: Record<string, string>;
  readonly #options: StackOptions;
  readonly #stacks: Stack[];
  readonly #directory: Awaited<ReturnType<typeof temporaryDirectory>>;

  private constructor(
    options: StackOptions,
    stack: Stack,
    directory: Awaited<ReturnType<typeof temporaryDirectory>>,
  ) {
    this.env = stack.env;
    this.#options = options;
    this.#stacks = [stack];
    this.#directory = directory;
  }

  static async start(): Promise<OwnStack> {
    const directory = await temporaryDirectory();
    const [kafka, kafkaController, redis, postgres] = (await freePorts(4)) as [
      number,
      number,
      number,
      number,
    ];
    const options = { directory: directory.path, ports: { kafka, kafkaController, redis, postgres } };
    return new OwnStack(options, await startStack(options), directory);
  }

  /** Ends a backend. Resolves when its process is gone. */
  async cut(name: BackendName): Promise<void> {
    const pid = stackPids(this.#options.directory)[name];
    if (pid === undefined) throw new Error(`${name} does not run`);
    process.kill(pid, endSignals[name]);
    await until(() => stackPids(this.#options.directory)[name] === undefined, {
      what: `the end of ${name}`,
      timeoutMs: 20_000,
    });
  }

  /** Starts the backends again that do not run. Resolves when they answer. */
  async mend(): Promise<void> {
    this.#stacks.push(await startStack(this.#options));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const stack of this.#stacks.toReversed()) await stack.stop({ discard: true });
    await this.#directory.remove();
  }
}
