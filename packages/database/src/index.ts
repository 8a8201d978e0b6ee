export type { Database, Dialect, Lock, Migrations, Signals, Tables, UnitOfWork } from './database.ts';
export { isSerializationFailure, isUniqueViolation } from './database-errors.ts';
