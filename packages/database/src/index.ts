export type { Database, Dialect, Lock, Migrations, Signals, Tables, UnitOfWork } from './database.ts';
export { DatabaseClock } from './database-clock.ts';
export { isSerializationFailure, isUniqueViolation, isValueRefusal } from './database-errors.ts';
