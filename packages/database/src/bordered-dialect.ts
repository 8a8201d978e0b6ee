import type { DatabaseConnection, Dialect, Driver } from 'kysely';

export interface Border {
  /** What a caller sees instead of what the vendor threw. */
  translate(error: unknown): unknown;
  /** Runs before a connection is handed out; what it throws is the caller's error. */
  beforeAcquire(): Promise<void> | void;
}

/** The same dialect with one border around its driver, so that vendors' errors are translated in one place. */
export function withBorder(dialect: Dialect, border: Border): Dialect {
  return {
    createAdapter: () => dialect.createAdapter(),
    createQueryCompiler: () => dialect.createQueryCompiler(),
    createIntrospector: (db) => dialect.createIntrospector(db),
    createDriver: () => borderedDriver(dialect.createDriver(), border),
  };
}

function borderedDriver(driver: Driver, border: Border): Driver {
  const known = new WeakSet<DatabaseConnection>();

  async function translated<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw border.translate(error);
    }
  }

  function bordered(connection: DatabaseConnection): DatabaseConnection {
    if (known.has(connection)) return connection;
    known.add(connection);
    const executeQuery = connection.executeQuery.bind(connection);
    connection.executeQuery = (query, options) => translated(() => executeQuery(query, options));
    return connection;
  }

  return {
    init: (options) => translated(() => driver.init(options)),
    async acquireConnection(options) {
      await border.beforeAcquire();
      return bordered(await translated(() => driver.acquireConnection(options)));
    },
    beginTransaction: (connection, settings) =>
      translated(() => driver.beginTransaction(connection, settings)),
    commitTransaction: (connection) => translated(() => driver.commitTransaction(connection)),
    // The error that caused the rollback is the one to tell; a connection that cannot roll back is thrown away.
    rollbackTransaction: (connection) => driver.rollbackTransaction(connection).catch(() => undefined),
    releaseConnection: (connection, options) => driver.releaseConnection(connection, options),
    destroy: (options) => driver.destroy(options),
  };
}
