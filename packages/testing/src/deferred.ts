/** A promise with its `resolve` and `reject`. */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (reason: Error) => void;
}

/**
 * Creates a deferred. Tests use it to order concurrent work without sleeping.
 *
 * @example
 * const gate = deferred();
 * const work = gate.promise.then(() => 'done');
 * gate.resolve();
 * await work;
 */
export function deferred<T = void>(): Deferred<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  return { promise, resolve, reject };
}
