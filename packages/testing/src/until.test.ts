import { describe, expect, it } from 'vitest';
import { until } from './until.ts';

describe('until', () => {
  it("resolves to the condition's first truthy value", async () => {
    let evaluations = 0;
    expect(
      await until(() => (++evaluations === 3 ? 'third' : undefined), { what: 'three evaluations' }),
    ).toBe('third');
  });

  it('rejects with the description and the last error', async () => {
    const waiting = until(
      () => {
        throw new Error('refused');
      },
      { what: 'the server answers', timeoutMs: 20 },
    );
    await expect(waiting).rejects.toMatchObject({
      message: 'the server answers: not within 20 ms',
      cause: { message: 'refused' },
    });
  });

  it('rejects after its timeout when the condition never settles', async () => {
    const waiting = until(() => new Promise<boolean>(() => {}), { what: 'an answer', timeoutMs: 20 });
    await expect(waiting).rejects.toThrow('an answer: not within 20 ms');
  });
});
