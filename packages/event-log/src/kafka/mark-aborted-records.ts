import { AbortedTransactions } from './aborted-transactions.ts';
import { requireKnownKafkajs } from './kafkajs-version.ts';

/** The members of kafkajs's private answer to a fetch that the guard uses. */
interface FetchAnswer {
  readonly responses: readonly { readonly partitions: readonly FetchedPartition[] }[];
}

interface FetchedPartition {
  abortedTransactions?: readonly { readonly producerId: string; readonly firstOffset: string }[] | null;
  readonly messages: readonly FetchedMessage[];
}

interface FetchedMessage {
  readonly offset: string;
  readonly key: Buffer | null;
  isControlRecord?: boolean;
  readonly batchContext?: { readonly producerId: string; readonly inTransaction: boolean };
}

interface Broker {
  fetch: (this: Broker, request: object) => Promise<FetchAnswer>;
}

const guards = new WeakSet<Broker['fetch']>();

/**
 * Guards consumers of kafkajs against records of aborted transactions. kafkajs enters one aborted transaction for each
 * record, so that of two that begin in front of a fetch the second is delivered; and it takes any record whose key is
 * four zero bytes for the marker of an abort.
 *
 * The guard marks the records of aborted transactions as control records, which kafkajs leaves out and counts as read.
 *
 * @param load Returns a module of kafkajs by its specifier, e.g. the result of `createRequire`.
 * @throws TidegateError INTERNAL when kafkajs is not the version that the guard was written for.
 */
export function markAbortedRecordsOfKafkajs(load: (specifier: string) => unknown): void {
  requireKnownKafkajs(load);
  const { prototype } = load('kafkajs/src/broker') as { prototype: Broker };
  const { fetch } = prototype;
  if (guards.has(fetch)) return;
  prototype.fetch = async function (request) {
    const answer = await fetch.call(this, request);
    for (const { partitions } of answer.responses) partitions.forEach(markAborted);
    return answer;
  };
  guards.add(prototype.fetch);
}

/** Exported for its test. */
export function markAborted(partition: FetchedPartition): void {
  const { abortedTransactions, messages } = partition;
  if (!abortedTransactions?.length) return;
  const aborted = new AbortedTransactions(
    abortedTransactions.map(({ producerId, firstOffset }) => ({
      producerId: BigInt(producerId),
      firstOffset: BigInt(firstOffset),
    })),
  );
  for (const message of messages) {
    const { producerId = '-1', inTransaction: isTransactional = false } = message.batchContext ?? {};
    const isAborted = aborted.includes({
      producerId: BigInt(producerId),
      lastOffset: BigInt(message.offset),
      isTransactional,
      controlKey: message.isControlRecord ? (message.key ?? undefined) : undefined,
    });
    if (isAborted) message.isControlRecord = true;
  }
  // kafkajs would apply its own rule to the rest.
  partition.abortedTransactions = [];
}
