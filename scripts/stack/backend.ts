/** One real backend of the stack. `kafka.ts`, `redis.ts` and `postgres.ts` are its adapters. */
export interface Backend {
  readonly name: 'Kafka' | 'Redis' | 'Postgres';
  readonly pidFile: string;
  readonly logFile: string;
  /** Signal for a fast and clean shutdown. */
  readonly stopSignal: NodeJS.Signals;
  /** Folder of its data; deleted when the stack is discarded. */
  readonly dataFolder: string;
  /** Initialises a new data folder and starts the process. */
  start(): Promise<void>;
  /** Resolves with its version when it answers a real request, rejects otherwise. */
  ping(): Promise<string>;
}
