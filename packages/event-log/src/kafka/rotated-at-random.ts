/** Returns the list from a random element on, with the elements before it at its end. */
export function rotatedAtRandom<T>(list: readonly T[]): T[] {
  const from = Math.floor(Math.random() * list.length);
  return [...list.slice(from), ...list.slice(0, from)];
}
