/** The value below which `share` (0 to 1) of the samples lie; nearest rank. NaN for no samples. */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

/** The middle of several runs: what one noisy run cannot move. */
export function median(samples: readonly number[]): number {
  return percentile(samples, 0.5);
}
