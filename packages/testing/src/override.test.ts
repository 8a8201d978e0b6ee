import { describe, expect, it } from 'vitest';
import { override } from './override.ts';

class Counter {
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(): number {
    return ++this.#count;
  }

  addTwice(): number {
    this.add();
    return this.add();
  }
}

describe('override', () => {
  it('replaces the given members and binds the others to the instance', () => {
    const counter = new Counter();
    const overridden = override(counter, { add: () => -1 });
    expect(overridden.add()).toBe(-1);
    expect(overridden.addTwice()).toBe(2);
    expect(overridden.count).toBe(2);
    expect(counter.count).toBe(2);
  });
});
