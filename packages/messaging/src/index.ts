export { startConsumer, type Consumer, type ConsumerOptions } from './consumer.ts';
export { createOutbox, type Outbox } from './outbox.ts';
export { outboxMigrations, type OutboxTables } from './outbox-tables.ts';
export { startRelay, type Relay, type RelayOptions } from './relay.ts';
