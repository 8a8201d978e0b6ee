/** What the stores need of one open SQLite file; `sqlite.ts` makes it from the vendor's API. */
export interface SqlFile {
  /** Undefined for a database in memory. */
  readonly path: string | undefined;
  prepare<Row = unknown>(sql: string): SqlStatement<Row>;
  exec(sql: string): void;
  /** Runs `work` in one write transaction: all of it is in the file afterwards, or nothing. */
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
