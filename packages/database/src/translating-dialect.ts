import type { DatabaseConnection, Dialect, Driver, TransactionSettings } from 'kysely';

export interface DriverHooks {
  /** Returns the error that callers get instead of the vendor's error. */
  translateError(error: unknown): unknown;
  /** Runs before a connection is acquired. Its error is the caller's error, untranslated. */
  beforeAcquire(): Promise<void> | void;
}

/** Wraps the driver of a dialect, so that vendor errors are translated in one place. */
export function withDriverHooks(dialect: Dialect, hooks: DriverHooks): Dialect {
  return {
    createAdapter: () => dialect.createAdapter(),
    createQueryCompiler: () => dialect.createQueryCompiler(),
    createIntrospector: (db) => dialect.createIntrospector(db),
    createDriver: () => new TranslatingDriver(dialect.createDriver(), hooks),
  };
}

class TranslatingDriver implements Driver {
  readonly #driver: Driver;
  readonly #hooks: DriverHooks;
  /** Connections whose `executeQuery` is wrapped already: a pool hands out the same connection repeatedly. */
  readonly #wrapped = new WeakSet<DatabaseConnection>();

  constructor(driver: Driver, hooks: DriverHooks) {
    this.#driver = driver;
    this.#hooks = hooks;
  }

  init(options?: Parameters<Driver['init']>[0]): Promise<void> {
    return this.#translate(() => this.#driver.init(options));
  }

  async acquireConnection(options?: Parameters<Driver['acquireConnection']>[0]): Promise<DatabaseConnection> {
    await this.#hooks.beforeAcquire();
    return this.#wrap(await this.#translate(() => this.#driver.acquireConnection(options)));
  }

  beginTransaction(connection: DatabaseConnection, settings: TransactionSettings): Promise<void> {
    return this.#translate(() => this.#driver.beginTransaction(connection, settings));
  }

  commitTransaction(connection: DatabaseConnection): Promise<void> {
    return this.#translate(() => this.#driver.commitTransaction(connection));
  }

  /** Never rejects: callers need the error that caused the rollback. A connection that cannot roll back is discarded. */
  rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    return this.#driver.rollbackTransaction(connection).catch(() => undefined);
  }

  releaseConnection(
    connection: DatabaseConnection,
    options?: Parameters<Driver['releaseConnection']>[1],
  ): Promise<void> {
    return this.#driver.releaseConnection(connection, options);
  }

  destroy(options?: Parameters<Driver['destroy']>[0]): Promise<void> {
    return this.#driver.destroy(options);
  }

  #wrap(connection: DatabaseConnection): DatabaseConnection {
    if (this.#wrapped.has(connection)) return connection;
    this.#wrapped.add(connection);
    const executeQuery = connection.executeQuery.bind(connection);
    connection.executeQuery = (query, options) => this.#translate(() => executeQuery(query, options));
    return connection;
  }

  async #translate<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw this.#hooks.translateError(error);
    }
  }
}
