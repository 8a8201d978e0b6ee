/** One real backend of the stack: `kafka.ts`, `redis.ts` and `postgres.ts` each build one. */
export interface Backend {
  readonly name: 'Kafka' | 'Redis' | 'Postgres';
  readonly pidFile: string;
  readonly logFile: string;
  /** How it is asked to end; each has its own idea of a fast and clean shutdown. */
  readonly stopSignal: NodeJS.Signals;
  /** Where its data lies, gone with `remove`. */
  readonly dataFolder: string;
  /** Prepares the data folder when it is new and starts the process. */
  start(): Promise<void>;
  /** Resolves with its version when it answers a real request; rejects when it does not yet. */
  ping(): Promise<string>;
}
