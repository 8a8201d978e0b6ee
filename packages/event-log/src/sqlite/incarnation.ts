import { randomUUID } from 'node:crypto';
import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { Logger } from '@tidegate/runtime/telemetry';
import type { SqlFile } from './sql-file.ts';

export interface IncarnationOptions {
  readonly file: SqlFile;
  /** Path of the log's file; undefined for a log in memory, which cannot be restored. */
  readonly path: string | undefined;
  readonly logger: Logger;
}

/** Content of the side file. */
interface Mark {
  readonly epoch: string;
  /** Records ever appended to all partitions. */
  readonly appended: number;
  readonly writtenAtMs: number;
}

/** Appends of this time in milliseconds share one write of the side file. */
const MARK_INTERVAL_MS = 250;
/** Maximum time in milliseconds between the mark's time and the change of its file, which a copied file exceeds. */
const MAX_WRITE_MS = 5_000;

/**
 * The log's epoch. It changes when the log's file was restored from a backup, because the offsets after the backup will
 * name different records. A side file, `FILE-mark`, holds the epoch and the number of appended records outside the
 * database. The log was restored when the side file is missing, was copied, or has another epoch or more records than
 * the database. A snapshot of the whole disk takes both back unnoticed; the side file must be deleted then.
 */
export class Incarnation {
  readonly epoch: string;
  readonly #markPath: string | undefined;
  readonly #logger: Logger;
  readonly #countAppended: () => number;
  #timer: NodeJS.Timeout | undefined;

  constructor({ file, path, logger }: IncarnationOptions) {
    this.#markPath = path === undefined ? undefined : `${path}-mark`;
    this.#logger = logger;
    const appended = file.prepare<{ total: number }>(
      'SELECT coalesce(sum(next_offset), 0) AS total FROM partitions',
    );
    this.#countAppended = () => appended.get()?.total ?? 0;
    // In a write transaction: of two processes that open the file, the second sees the decision of the first.
    this.epoch = file.write(() => this.#open(file));
  }

  /** Called after appends were committed. */
  appended(): void {
    if (this.#markPath === undefined || this.#timer) return;
    this.#timer = setTimeout(() => this.#write(), MARK_INTERVAL_MS).unref();
  }

  /** Writes the side file when it is behind. Called before the database is closed. */
  close(): void {
    if (!this.#timer) return;
    clearTimeout(this.#timer);
    this.#write();
  }

  #open(file: SqlFile): string {
    const stored = file
      .prepare<{ value: string }>(`SELECT value FROM meta WHERE name = 'epoch'`)
      .get()?.value;
    const restored = stored === undefined ? undefined : this.#whyRestored(stored);
    if (stored !== undefined && restored === undefined) return stored;
    const epoch = randomUUID();
    file
      .prepare(
        `INSERT INTO meta (name, value) VALUES ('epoch', ?) ON CONFLICT DO UPDATE SET value = excluded.value`,
      )
      .run(epoch);
    if (restored !== undefined) {
      const message = 'the event log was restored from a backup: cursors from before have expired';
      this.#logger.warn({ reason: restored }, message);
    }
    this.#write(epoch);
    return epoch;
  }

  #whyRestored(epoch: string): string | undefined {
    if (this.#markPath === undefined) return undefined;
    let mark: Partial<Mark> | null;
    let changedAtMs: number;
    try {
      mark = JSON.parse(readFileSync(this.#markPath, 'utf8')) as Partial<Mark> | null;
      changedAtMs = statSync(this.#markPath).ctimeMs;
    } catch {
      return `${this.#markPath} is missing or unreadable`;
    }
    if (mark?.epoch !== epoch) return `${this.#markPath} is of another epoch`;
    const { appended, writtenAtMs } = mark;
    if (!(Number(appended) <= this.#countAppended())) return 'records that were appended are missing';
    if (!(Math.abs(changedAtMs - Number(writtenAtMs)) < MAX_WRITE_MS)) return `${this.#markPath} was copied`;
    return undefined;
  }

  /** A failure is logged: the next open then finds too old a mark, or expires the cursors. */
  #write(epoch = this.epoch): void {
    this.#timer = undefined;
    if (this.#markPath === undefined) return;
    const temporary = `${this.#markPath}.${process.pid}`;
    try {
      const mark: Mark = { epoch, appended: this.#countAppended(), writtenAtMs: Date.now() };
      writeFileSync(temporary, JSON.stringify(mark), { mode: 0o600 });
      renameSync(temporary, this.#markPath);
    } catch (error) {
      rmSync(temporary, { force: true });
      this.#logger.warn({ err: error }, "the event log's mark could not be written");
    }
  }
}
