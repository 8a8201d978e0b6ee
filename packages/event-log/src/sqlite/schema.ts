import type { SqlFile } from './sql-file.ts';

/** Offsets that share one row of `time_blocks`. */
export const OFFSETS_PER_TIME_BLOCK = 1_024;

/** `timestamp_ms` precedes the value in a row, so that a search by time does not read the value's overflow pages. */
const tables = `
  CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

  CREATE TABLE IF NOT EXISTS topics (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, partitions INTEGER NOT NULL,
    cleanup TEXT NOT NULL, retention_ms INTEGER NOT NULL
  );

  CREATE TABLE IF NOT EXISTS partitions (
    topic_id INTEGER NOT NULL, partition INTEGER NOT NULL,
    start_offset INTEGER NOT NULL, next_offset INTEGER NOT NULL,
    PRIMARY KEY (topic_id, partition)
  ) WITHOUT ROWID;

  CREATE TABLE IF NOT EXISTS records (
    topic_id INTEGER NOT NULL, partition INTEGER NOT NULL, "offset" INTEGER NOT NULL,
    timestamp_ms INTEGER NOT NULL, compacted INTEGER NOT NULL,
    key TEXT NOT NULL, headers TEXT NOT NULL, value BLOB,
    PRIMARY KEY (topic_id, partition, "offset")
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS records_by_key ON records (topic_id, partition, key, "offset") WHERE compacted = 1;

  -- The newest timestamp of each block of offsets: a search by time reads one block, not the whole partition.
  CREATE TABLE IF NOT EXISTS time_blocks (
    topic_id INTEGER NOT NULL, partition INTEGER NOT NULL, block INTEGER NOT NULL,
    newest_ms INTEGER NOT NULL,
    PRIMARY KEY (topic_id, partition, block)
  ) WITHOUT ROWID;

  CREATE TABLE IF NOT EXISTS checkpoints (
    group_name TEXT NOT NULL, topic_id INTEGER NOT NULL, partition INTEGER NOT NULL,
    next_offset INTEGER NOT NULL,
    PRIMARY KEY (group_name, topic_id, partition)
  ) WITHOUT ROWID;

  CREATE TABLE IF NOT EXISTS members (
    group_name TEXT NOT NULL, topic_id INTEGER NOT NULL, member TEXT NOT NULL, expires_ms INTEGER NOT NULL,
    PRIMARY KEY (group_name, topic_id, member)
  ) WITHOUT ROWID;

  CREATE TABLE IF NOT EXISTS leases (
    group_name TEXT NOT NULL, topic_id INTEGER NOT NULL, partition INTEGER NOT NULL, member TEXT NOT NULL,
    PRIMARY KEY (group_name, topic_id, partition)
  ) WITHOUT ROWID;
`;

/** Creates missing tables. */
export function createSchema(file: SqlFile): void {
  file.write(() => file.exec(tables));
}
