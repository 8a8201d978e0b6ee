import type { Gauge } from 'prom-client';

/** One value of a sampled gauge. */
export interface Sample<Label extends string> {
  /** A value for each label of the gauge. */
  readonly labels: Readonly<Record<Label, string | number>>;
  readonly value: number;
}

/** Reads the present values of a gauge. */
export type SampleReader<Label extends string> = () => Promise<readonly Sample<Label>[]>;

/** A scrape waits no longer for a reader: Prometheus itself gives up after 10 s by default. */
const READ_MS = 2_000;

/**
 * Sets a gauge from values that are read elsewhere, such as a database. While the reader fails or is too slow, its
 * samples are missing: no value is better than an old one.
 */
export class SampledGauge<Label extends string> {
  readonly #gauge: Gauge<Label>;
  readonly #read: SampleReader<Label>;
  readonly #everyMs: number;
  #shown: readonly Sample<Label>[] = [];
  #running: Promise<void> | undefined;
  #readAtMs = -Infinity;
  #ended = false;

  /** `everyMs`: minimum milliseconds between two reads; a scrape in between shows the values of the last one. */
  constructor(gauge: Gauge<Label>, read: SampleReader<Label>, everyMs: number) {
    this.#gauge = gauge;
    this.#read = read;
    this.#everyMs = everyMs;
  }

  /** Reads and shows the samples, unless that was done a moment ago. Concurrent calls share one read. Never rejects. */
  async update(): Promise<void> {
    if (performance.now() - this.#readAtMs < this.#everyMs) return;
    this.#running ??= this.#readAndShow().finally(() => (this.#running = undefined));
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(() => {
      this.#show([]);
      resolve();
    }, READ_MS);
    await Promise.race([this.#running, promise]);
    clearTimeout(timer);
  }

  /** Removes the samples for good, those of a read in progress too. */
  end(): void {
    this.#ended = true;
    this.#show([]);
  }

  async #readAndShow(): Promise<void> {
    try {
      this.#show(await this.#read());
      this.#readAtMs = performance.now();
    } catch {
      this.#show([]);
    }
  }

  #show(samples: readonly Sample<Label>[]): void {
    for (const { labels } of this.#shown) this.#gauge.remove(labels);
    this.#shown = this.#ended ? [] : samples;
    for (const { labels, value } of this.#shown) this.#gauge.set(labels, value);
  }
}
