import {
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type Dialect,
  type SelectModifierNode,
} from 'kysely';
import { createSqliteDriver, type SqliteFile } from './sqlite-driver.ts';

export function createSqliteDialect(file: SqliteFile): Dialect {
  return {
    createAdapter: () => new Adapter(),
    createDriver: () => createSqliteDriver(file),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new Compiler(),
  };
}

class Adapter extends SqliteAdapter {
  /** The driver takes turns itself; Kysely's own mutex would make reads wait for transactions. */
  override get supportsMultipleConnections(): boolean {
    return true;
  }
}

const locking = /^(For|NoWait|SkipLocked)/;

class Compiler extends SqliteQueryCompiler {
  /** A SQLite transaction locks more than FOR UPDATE asks for; leaving it out lets one query serve both dialects. */
  protected override visitSelectModifier(node: SelectModifierNode): void {
    if (!locking.test(node.modifier ?? '')) super.visitSelectModifier(node);
  }
}
