/** Extensions that a gateway adds to each result of a subscription. */
export interface ResultExtensions {
  readonly cursor?: string;
  readonly kind?: 'snapshot' | 'change';
  readonly key?: string;
  /** Grows by one with each change of the key. */
  readonly version?: number;
  /** CloudEvents id of the change, the same on every transport. */
  readonly id?: string;
  /** Number of messages dropped before this one because the connection was too slow. */
  readonly dropped?: number;
  readonly [name: string]: unknown;
}

export interface GraphQLErrorLike {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly extensions?: Readonly<Record<string, unknown>>;
}

/** One GraphQL result. Both `data` and `errors` are present when only some fields failed. */
export interface Result<Data> {
  readonly data?: Data | null;
  readonly errors?: readonly GraphQLErrorLike[];
  readonly extensions?: ResultExtensions;
}
