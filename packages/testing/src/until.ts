export interface UntilOptions {
  /** The condition in words, as in "the order is delivered"; it is the error's message when time runs out. */
  readonly what: string;
  /** Default 10 s: long enough for a noisy machine, short enough to fail before the test's own limit. */
  readonly timeoutMs?: number;
  /** Time between two looks. Default 5 ms. */
  readonly everyMs?: number;
}

type Falsy = false | 0 | '' | null | undefined;

/**
 * Resolves with the condition's first truthy value. A condition that throws counts as not yet true; what it threw
 * last is the `cause` when time runs out.
 *
 * @throws Error naming `what` after `timeoutMs`, also when the condition itself never settles.
 */
export async function until<T>(
  condition: () => T | Promise<T>,
  { what, timeoutMs = 10_000, everyMs = 5 }: UntilOptions,
): Promise<Exclude<T, Falsy>> {
  const deadline = Date.now() + timeoutMs;
  let lastError: unknown;
  for (;;) {
    try {
      const value = await before(deadline, condition());
      if (value) return value as Exclude<T, Falsy>;
    } catch (error) {
      lastError = error;
    }
    if (Date.now() >= deadline) {
      throw new Error(
        `${what}: not within ${timeoutMs} ms`,
        lastError === undefined ? {} : { cause: lastError },
      );
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

/** A condition may hang (a request without an answer); the deadline holds all the same. */
async function before<T>(deadline: number, value: T | Promise<T>): Promise<T> {
  if (!(value instanceof Promise)) return value;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error('the condition did not settle')),
      Math.max(0, deadline - Date.now()),
    );
  });
  try {
    return await Promise.race([value, late]);
  } finally {
    clearTimeout(timer);
  }
}
