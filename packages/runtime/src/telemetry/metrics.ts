import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { SampledGauge, type SampleReader } from './sampled-gauge.ts';

/** Name of a metric. It ends with its unit, as Prometheus recommends (`_seconds`, `_bytes`, `_total`). */
export type MetricName = `tidegate_${string}`;

export interface MetricOptions<Label extends string> {
  readonly name: MetricName;
  readonly help: string;
  /** Label names. A label must have few values: never an id. Default: none. */
  readonly labels?: readonly Label[];
}

export interface CounterOptions<Label extends string> extends MetricOptions<Label> {
  /** Called at each scrape, for a number that is counted elsewhere: resets the counter, then adds the total. */
  readonly collect?: (counter: Counter<Label>) => void | Promise<void>;
}

export interface GaugeOptions<Label extends string> extends MetricOptions<Label> {
  /** Called at each scrape, for a number that is kept elsewhere. */
  readonly collect?: (gauge: Gauge<Label>) => void | Promise<void>;
}

export interface SampledGaugeOptions<Label extends string> extends MetricOptions<Label> {
  /** Minimum milliseconds between two reads: anyone who reaches `/metrics` can cause them. Default 1,000. */
  readonly everyMs?: number;
}

export interface HistogramOptions<Label extends string> extends MetricOptions<Label> {
  /** Upper bounds of the buckets, in the unit of the name. Default: 0.001 to 10, for seconds. */
  readonly buckets?: readonly number[];
}

/**
 * The metrics of one process. A second request for the same name returns the same metric, because several services may
 * share a process.
 *
 * Each method throws an Error when the name is invalid or belongs to a metric of another type.
 */
export interface Metrics {
  counter<Label extends string = never>(options: CounterOptions<Label>): Counter<Label>;
  gauge<Label extends string = never>(options: GaugeOptions<Label>): Gauge<Label>;
  histogram<Label extends string = never>(options: HistogramOptions<Label>): Histogram<Label>;
  /**
   * Adds a reader of a gauge, called at a scrape. Several readers may share a gauge, each with label values of its own.
   * While a reader rejects or takes longer than 2 s, its samples are missing. Returns a function that ends the reading.
   */
  sample<Label extends string = never>(
    options: SampledGaugeOptions<Label>,
    read: SampleReader<Label>,
  ): () => void;
  /** Renders the response of `/metrics` in Prometheus text format. */
  render(): Promise<{ readonly contentType: string; readonly body: string }>;
}

export interface CreateMetricsOptions {
  /** Adds Node's own metrics (event loop lag, heap, garbage collection, CPU). At most once per process. Default true. */
  readonly nodeMetrics?: boolean;
}

/**
 * Interval at which the event loop's delay is sampled. The library's default of 10 ms wakes an idle process a hundred
 * times a second. A wake-up costs up to 200 µs on a virtual machine, which makes 1 to 2 % of a core per process.
 */
const EVENT_LOOP_SAMPLE_MS = 500;

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/**
 * Creates a registry of metrics.
 *
 * @example
 * const metrics = createMetrics();
 * const handled = metrics.counter({ name: 'tidegate_handled_total', help: 'Handled messages.' });
 * handled.inc();
 * const { contentType, body } = await metrics.render();
 */
export function createMetrics(options: CreateMetricsOptions = {}): Metrics {
  return new PrometheusMetrics(options);
}

class PrometheusMetrics implements Metrics {
  readonly #registry = new Registry();
  readonly #sampled = new Set<{ update(): Promise<void> }>();

  constructor({ nodeMetrics = true }: CreateMetricsOptions) {
    if (!nodeMetrics) return;
    collectDefaultMetrics({
      register: this.#registry,
      eventLoopMonitoringPrecision: EVENT_LOOP_SAMPLE_MS,
    });
  }

  counter<Label extends string = never>({ collect, ...options }: CounterOptions<Label>): Counter<Label> {
    return this.#find(options.name, Counter<Label>) ?? new Counter(this.#configure(options, collect));
  }

  gauge<Label extends string = never>({ collect, ...options }: GaugeOptions<Label>): Gauge<Label> {
    return this.#find(options.name, Gauge<Label>) ?? new Gauge(this.#configure(options, collect));
  }

  histogram<Label extends string = never>(options: HistogramOptions<Label>): Histogram<Label> {
    const { buckets = SECONDS, ...shared } = options;
    return (
      this.#find(options.name, Histogram<Label>) ??
      new Histogram({ ...this.#configure(shared), buckets: [...buckets] })
    );
  }

  sample<Label extends string = never>(
    { everyMs = 1_000, ...options }: SampledGaugeOptions<Label>,
    read: SampleReader<Label>,
  ): () => void {
    const sampled = new SampledGauge(this.gauge(options), read, everyMs);
    this.#sampled.add(sampled);
    return () => {
      this.#sampled.delete(sampled);
      sampled.end();
    };
  }

  async render(): Promise<{ readonly contentType: string; readonly body: string }> {
    await Promise.all([...this.#sampled].map((sampled) => sampled.update()));
    return { contentType: this.#registry.contentType, body: await this.#registry.metrics() };
  }

  /** Returns the registered metric of this name, if any. */
  #find<Metric extends object>(
    name: MetricName,
    type: abstract new (...args: never[]) => Metric,
  ): Metric | undefined {
    if (!/^tidegate_[a-z0-9_]+$/.test(name)) throw new Error(`"${name}" is not a metric name of ours`);
    const known = this.#registry.getSingleMetric(name);
    if (known === undefined || known instanceof type) return known;
    throw new Error(`the metric ${name} exists and is of another type`);
  }

  #configure<Label extends string, Metric>(
    { name, help, labels = [] }: MetricOptions<Label>,
    collect?: (metric: Metric) => void | Promise<void>,
  ) {
    return {
      name,
      help,
      labelNames: labels,
      registers: [this.#registry],
      // prom-client calls `collect` with the metric as `this`.
      ...(collect && {
        collect(this: Metric) {
          return collect(this);
        },
      }),
    };
  }
}
