/**
 * Returns `target` with some of its members replaced, for example a port with one failing method. The other methods
 * are bound to `target`, so it may be an instance of a class with private fields.
 *
 * @example
 * const failingLog = override(log, { append: () => Promise.reject(new TidegateError('UNAVAILABLE', 'down')) });
 */
export function override<T extends object>(target: T, members: Partial<T>): T {
  return new Proxy(target, {
    get(_target, name) {
      const owner: object = name in members ? members : target;
      const value: unknown = Reflect.get(owner, name, owner);
      return typeof value === 'function' ? (value.bind(owner) as unknown) : value;
    },
  });
}
