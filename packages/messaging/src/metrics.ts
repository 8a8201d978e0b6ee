import type { Metrics } from '@tidegate/runtime/telemetry';

/** Creates the metrics of consumers, or returns those of the same registry. */
export function createConsumerMetrics(metrics: Metrics) {
  return {
    batchSeconds: metrics.histogram({
      name: 'tidegate_consumer_batch_seconds',
      help: 'From a batch that came to its acknowledgement or failure',
      labels: ['group'],
    }),
    records: metrics.counter({
      name: 'tidegate_consumer_records_total',
      help: 'Records of acknowledged batches',
      labels: ['group'],
    }),
    failures: metrics.counter({
      name: 'tidegate_consumer_failures_total',
      help: 'Batches that failed and come again, and connections to the log that were lost',
      labels: ['group'],
    }),
    deadLetters: createDeadLetterCounter(metrics),
  };
}

export type ConsumerMetrics = ReturnType<typeof createConsumerMetrics>;

/** Creates the metrics of relays, or returns those of the same registry. */
export function createRelayMetrics(metrics: Metrics) {
  return {
    published: metrics.counter({
      name: 'tidegate_relay_published_total',
      help: 'Rows of the outbox that were published',
      labels: ['relay'],
    }),
    failures: metrics.counter({
      name: 'tidegate_relay_failures_total',
      help: 'Appends of outbox rows that failed and are repeated',
      labels: ['relay'],
    }),
    deadLetters: createDeadLetterCounter(metrics),
  };
}

export type RelayMetrics = ReturnType<typeof createRelayMetrics>;

function createDeadLetterCounter(metrics: Metrics) {
  return metrics.counter({
    name: 'tidegate_dead_letters_total',
    help: 'Records written to the dead letters, by the code of their error',
    labels: ['group', 'reason'],
  });
}
