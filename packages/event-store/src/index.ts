export { appendEvents, type AppendOptions } from './append-events.ts';
export { eventStoreMigrations, type EventStoreTables } from './event-store-tables.ts';
export { readEvents } from './read-events.ts';
