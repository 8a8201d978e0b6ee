import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** Every metric of ours begins like this; the unit ends the name, as Prometheus has it (`_seconds`, `_bytes`, `_total`). */
export type MetricName = `tidegate_${string}`;

export interface MetricOptions<Name extends MetricName, Label extends string> {
  readonly name: Name;
  readonly help: string;
  /** Labels have few values: never an id, never a user. */
  readonly labels?: readonly Label[];
}

/** The metrics of one process. Asking twice for one name gives the same metric: several services may share a process. */
export interface Metrics {
  counter<Label extends string = never>(
    options: MetricOptions<MetricName, Label> & {
      /** Called at each scrape, for a number that is counted elsewhere: reset it, then add all. */
      readonly collect?: (counter: Counter<Label>) => void | Promise<void>;
    },
  ): Counter<Label>;
  gauge<Label extends string = never>(
    options: MetricOptions<MetricName, Label> & {
      /** Called at each scrape, for a number that lives elsewhere. */
      readonly collect?: (gauge: Gauge<Label>) => void | Promise<void>;
    },
  ): Gauge<Label>;
  histogram<Label extends string = never>(
    options: MetricOptions<MetricName, Label> & {
      /** Upper bounds in the unit of the name. Default: 1 ms to 10 s, in seconds. */
      readonly buckets?: readonly number[];
    },
  ): Histogram<Label>;
  /** What `/metrics` answers. */
  render(): Promise<{ readonly contentType: string; readonly body: string }>;
}

export interface CreateMetricsOptions {
  /** Node's own (event loop lag, heap, garbage collection, CPU). Once per process. Default true. */
  readonly nodeMetrics?: boolean;
}

/**
 * How often the event loop's delay is sampled. The library's own 10 ms wakes an idle process a hundred times a second,
 * and a wake costs up to 200 µs on a virtual machine: 1 to 2 % of a core for each process, all the time.
 */
const EVENT_LOOP_SAMPLE_MS = 500;

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export function createMetrics({ nodeMetrics = true }: CreateMetricsOptions = {}): Metrics {
  const registry = new Registry();
  if (nodeMetrics)
    collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: EVENT_LOOP_SAMPLE_MS });

  function once<T extends object>(
    name: MetricName,
    type: abstract new (...args: never[]) => T,
    create: () => T,
  ): T {
    if (!/^tidegate_[a-z0-9_]+$/.test(name)) throw new Error(`"${name}" is not a metric name of ours`);
    const known = registry.getSingleMetric(name) as T | undefined;
    if (known === undefined) return create();
    if (known instanceof type) return known;
    throw new Error(`the metric ${name} exists and is of another type`);
  }

  return {
    counter: ({ name, help, labels = [], collect }) =>
      once(
        name,
        Counter,
        () =>
          new Counter({
            name,
            help,
            labelNames: labels,
            registers: [registry],
            ...(collect && {
              collect() {
                return collect(this);
              },
            }),
          }),
      ),
    gauge: ({ name, help, labels = [], collect }) =>
      once(
        name,
        Gauge,
        () =>
          new Gauge({
            name,
            help,
            labelNames: labels,
            registers: [registry],
            ...(collect && {
              collect() {
                return collect(this);
              },
            }),
          }),
      ),
    histogram: ({ name, help, labels = [], buckets = SECONDS }) =>
      once(
        name,
        Histogram,
        () => new Histogram({ name, help, labelNames: labels, buckets: [...buckets], registers: [registry] }),
      ),
    render: async () => ({ contentType: registry.contentType, body: await registry.metrics() }),
  };
}
