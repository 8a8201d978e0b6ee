export interface UntilOptions {
  /** Description of the condition, e.g. "the counter is full". It becomes the message of the error. */
  readonly what: string;
  /** Default 10 s: long enough for a busy machine, shorter than the time limit of a test. */
  readonly timeoutMs?: number;
  /** Time between two evaluations in milliseconds. Default 5. */
  readonly everyMs?: number;
}

type Falsy = false | 0 | '' | null | undefined;

/**
 * Evaluates a condition repeatedly and resolves to its first truthy value. A condition that throws counts as false.
 *
 * @throws Error with the description after `timeoutMs`, also when the condition never settles. Its `cause` is the last error
 * that the condition threw.
 *
 * @example
 * const isReady = async () => (await fetch('http://127.0.0.1:4000/readyz')).ok;
 * await until(isReady, { what: 'the server is ready', timeoutMs: 30_000 });
 */
export async function until<T>(
  condition: () => T | Promise<T>,
  { what, timeoutMs = 10_000, everyMs = 5 }: UntilOptions,
): Promise<Exclude<T, Falsy>> {
  const deadline = Date.now() + timeoutMs;
  let lastError: unknown;
  for (;;) {
    try {
      const value = await settleBefore(deadline, condition());
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

/** Rejects at the deadline: a condition may never settle, e.g. a request without an answer. */
async function settleBefore<T>(deadline: number, value: T | Promise<T>): Promise<T> {
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
