export { startConsumer, type Consumer, type ConsumerOptions } from './consumer/consumer.ts';
export {
  DeadLetterBox,
  type DeadLetterState,
  type StoredDeadLetter,
} from './dead-letters/dead-letter-box.ts';
export { createOutbox, type Outbox } from './outbox/outbox.ts';
export { outboxMigrations, type OutboxTables } from './tables.ts';
export { startRelay, type Relay, type RelayOptions } from './relay/relay.ts';
