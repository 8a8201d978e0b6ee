/** By how much the age of a connection varies: those of one moment are not to come back in one moment. */
const LEAST = 0.8;
const MOST = 1.2;

/** How long one connection may last: around `maxAgeMs`, drawn for each; undefined when there is no bound (0). */
export function drawAgeMs(maxAgeMs: number): number | undefined {
  if (maxAgeMs <= 0) return undefined;
  return maxAgeMs * (LEAST + Math.random() * (MOST - LEAST));
}
