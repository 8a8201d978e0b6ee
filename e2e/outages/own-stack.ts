import { freePorts, temporaryDirectory, until } from '@tidegate/testing';
import {
  stackPids,
  startStack,
  stopStack,
  type Stack,
  type StackOptions,
} from '../../scripts/stack/stack.ts';

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

  private constructor(options: StackOptions, env: Record<string, string>) {
    this.env = env;
    this.#options = options;
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
    const { env } = await startStack(options);
    return new OwnStack(options, env);
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
    await startStack(this.#options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // By the folder: the first of several stacks would delete the pid files of the backends of the others.
    await stopStack(this.#options.directory, { discard: true });
  }
}
