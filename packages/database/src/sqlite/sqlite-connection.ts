/** What the driver needs of one open SQLite file; `sqlite.ts` builds it from the vendor's module. */
export interface SqliteConnection {
  /** Statements are prepared once and kept. */
  execute(sql: string, parameters: readonly unknown[]): SqliteResult;
  iterate(sql: string, parameters: readonly unknown[]): Iterable<unknown>;
  readonly inTransaction: boolean;
  close(): void;
}

export interface SqliteResult {
  readonly rows: unknown[];
  /** Only for statements that return no rows. */
  readonly changes?: number | bigint;
  readonly lastInsertRowid?: number | bigint;
}
