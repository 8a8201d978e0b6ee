import { sql } from 'kysely';
import type { Database, Tables } from './database.ts';

/** Two clocks drift apart by milliseconds in this time. */
const READ_EVERY_MS = 60_000;

/**
 * The clock of the database server, for leases and due times that several machines compare: their own clocks may differ
 * by hours, or be corrected at any moment. It is read once a minute and goes on by this process's monotonic clock in
 * between, also while the server is away. Processes that share a SQLite file share a machine, and its clock is taken.
 *
 * @example
 * const clock = new DatabaseClock(database);
 * await clock.start();
 * const leaseUntil = clock.now() + 40_000;
 * clock.stop();
 */
export class DatabaseClock {
  readonly #database: Database<Tables>;
  #offsetMs: number | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(database: Database<Tables>) {
    this.#database = database;
  }

  /** Epoch milliseconds. Before `start` has resolved, the time of this machine. */
  readonly now = (): number =>
    this.#offsetMs === undefined ? Date.now() : Math.floor(performance.now() + this.#offsetMs);

  /** Reads the clock. @throws TidegateError UNAVAILABLE when the database cannot be reached: call it again. */
  async start(): Promise<void> {
    if (this.#database.dialect === 'sqlite') return;
    await this.#read();
    this.#timer ??= setInterval(() => void this.#read().catch(() => undefined), READ_EVERY_MS).unref();
  }

  /** Ends the reading. The clock goes on. */
  stop(): void {
    clearInterval(this.#timer);
  }

  /** The server read its clock between request and answer: halfway is nearest. */
  async #read(): Promise<void> {
    const askedMs = performance.now();
    const { rows } = await sql<{ ms: number }>`
      select (extract(epoch from clock_timestamp()) * 1000)::bigint as ms`.execute(this.#database.query);
    this.#offsetMs = rows[0]!.ms - (askedMs + performance.now()) / 2;
  }
}
