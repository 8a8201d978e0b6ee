/** Returns the nearest-rank percentile; `share` is 0 to 1. NaN without samples. */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

/** Returns the median, which one noisy run does not change. */
export function median(samples: readonly number[]): number {
  return percentile(samples, 0.5);
}
