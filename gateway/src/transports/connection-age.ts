/** Spread of the age: connections that were opened together must not reconnect together. */
const MIN_FACTOR = 0.8;
const MAX_FACTOR = 1.2;

/** Draws the maximum age of one connection, `maxAgeMs` ± 20 %; undefined when `maxAgeMs` is 0, which is no bound. */
export function drawAgeMs(maxAgeMs: number): number | undefined {
  if (maxAgeMs <= 0) return undefined;
  return maxAgeMs * (MIN_FACTOR + Math.random() * (MAX_FACTOR - MIN_FACTOR));
}
