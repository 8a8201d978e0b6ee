import { tooComplex } from './document-shape.ts';
import type { OperationLimits } from './operation-limits.ts';

type VariableLimits = Pick<OperationLimits, 'maxVariableBytes' | 'maxVariableDepth' | 'maxListLength'>;

/** Approximate size of a number, a boolean or null in JSON, and of the punctuation around a value. */
const BYTES_PER_VALUE = 4;

/**
 * Checks the variables of an operation without recursion: they may be nested deeper than the stack. An object that is
 * the value of a variable has the depth 1.
 *
 * @throws TidegateError OPERATION_TOO_COMPLEX that names the limit.
 */
export function requireVariablesWithin(
  variables: Readonly<Record<string, unknown>>,
  limits: VariableLimits,
): void {
  let bytes = 0;
  const waiting: { readonly value: object; readonly depth: number }[] = [{ value: variables, depth: 0 }];
  const add = (value: unknown, depth: number): void => {
    bytes += BYTES_PER_VALUE + (typeof value === 'string' ? Buffer.byteLength(value) : 0);
    if (typeof value === 'object' && value !== null) waiting.push({ value, depth });
  };
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { value, depth } = next;
    if (depth > limits.maxVariableDepth) throw tooComplex('maxVariableDepth', limits.maxVariableDepth);
    if (Array.isArray(value)) {
      if (value.length > limits.maxListLength)
        throw tooComplex('maxListLength', limits.maxListLength, value.length);
      for (const each of value) add(each, depth + 1);
    } else {
      for (const [key, each] of Object.entries(value)) {
        bytes += Buffer.byteLength(key);
        add(each, depth + 1);
      }
    }
    if (bytes > limits.maxVariableBytes) throw tooComplex('maxVariableBytes', limits.maxVariableBytes);
  }
}

/** Returns true when the JSON of a value takes more than about `maxBytes`. Stops as soon as it is known. */
export function isLargerThan(value: unknown, maxBytes: number): boolean {
  let bytes = 0;
  const waiting: unknown[] = [value];
  while (waiting.length > 0) {
    const next = waiting.pop();
    bytes += BYTES_PER_VALUE;
    if (typeof next === 'string') bytes += Buffer.byteLength(next);
    else if (Array.isArray(next)) for (const each of next) waiting.push(each);
    else if (typeof next === 'object' && next !== null) {
      for (const [key, each] of Object.entries(next)) {
        bytes += key.length;
        waiting.push(each);
      }
    }
    if (bytes > maxBytes) return true;
  }
  return false;
}

/** Returns true when a value has lists or objects inside each other beyond a depth. Without recursion. */
export function isDeeperThan(value: unknown, maxDepth: number): boolean {
  const waiting: (readonly [value: unknown, depth: number])[] = [[value, 0]];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const [each, depth] = next;
    if (typeof each !== 'object' || each === null) continue;
    if (depth >= maxDepth) return true;
    for (const inner of Object.values(each)) waiting.push([inner, depth + 1]);
  }
  return false;
}
