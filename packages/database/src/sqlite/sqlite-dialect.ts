import {
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type Dialect,
  type SelectModifierNode,
} from 'kysely';
import { SqliteDriver, type SqliteFile } from './sqlite-driver.ts';

export function createSqliteDialect(file: SqliteFile): Dialect {
  return {
    createAdapter: () => new Adapter(),
    createDriver: () => new SqliteDriver(file),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new Compiler(),
  };
}

class Adapter extends SqliteAdapter {
  /** The driver has its own mutex for writes. Kysely's mutex would make reads wait for transactions. */
  override get supportsMultipleConnections(): boolean {
    return true;
  }
}

const locking = /^(For|NoWait|SkipLocked)/;

class Compiler extends SqliteQueryCompiler {
  /** Omits FOR UPDATE, so that one query serves both dialects: a SQLite transaction locks the whole database anyway. */
  protected override visitSelectModifier(node: SelectModifierNode): void {
    if (!locking.test(node.modifier ?? '')) super.visitSelectModifier(node);
  }
}
