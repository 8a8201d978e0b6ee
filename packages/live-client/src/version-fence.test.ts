import { describe, expect, it } from 'vitest';
import { VersionFence } from './version-fence.ts';

describe('a version fence', () => {
  it('lets each version of a key pass once, and no older version after it', () => {
    const fence = new VersionFence();
    const passed = [1, 1, 2, 4, 3, 4, 5].filter((version) => fence.passes('a', version));
    expect(passed).toEqual([1, 2, 4, 5]);
    expect(fence.passes('b', 1)).toBe(true);
  });

  it('evicts the least recently changed key when it is full', () => {
    const fence = new VersionFence(2);
    fence.passes('a', 1);
    fence.passes('b', 1);
    fence.passes('a', 2);
    fence.passes('c', 1);
    expect(fence.passes('a', 2)).toBe(false);
    expect(fence.passes('b', 1)).toBe(true);
  });
});
