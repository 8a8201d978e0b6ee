/** One open SQLite file, as the driver uses it. `sqlite.ts` implements it on the vendor's module. */
export interface SqliteConnection {
  /** Runs a statement. Prepared statements are cached. */
  execute(sql: string, parameters: readonly unknown[]): SqliteResult;
  iterate(sql: string, parameters: readonly unknown[]): Iterable<unknown>;
  readonly inTransaction: boolean;
  /** Idempotent. */
  close(): void;
}

export interface SqliteResult {
  readonly rows: unknown[];
  /** Number of changed rows, of a statement that returns no rows. */
  readonly changes?: number | bigint;
  /** Present for a statement that returns no rows. */
  readonly lastInsertRowid?: number | bigint;
}
