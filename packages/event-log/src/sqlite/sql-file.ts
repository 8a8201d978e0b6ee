/** One open SQLite file, as the stores use it; implemented by `sqlite.ts` on the vendor's API. */
export interface SqlFile {
  prepare<Row = unknown>(sql: string): SqlStatement<Row>;
  exec(sql: string): void;
  /** Runs `work` in one write transaction, which is rolled back when `work` throws. */
  write<T>(work: () => T): T;
  /** Runs `work` on one snapshot of the file. */
  read<T>(work: () => T): T;
  close(): void;
}

export interface SqlStatement<Row> {
  run(...parameters: SqlValue[]): { changes: number };
  get(...parameters: SqlValue[]): Row | undefined;
  all(...parameters: SqlValue[]): Row[];
  iterate(...parameters: SqlValue[]): Iterable<Row>;
}

export type SqlValue = string | number | null | Uint8Array;
