import type { OperationParams } from '../graphql/operation-params.ts';

/** Steps that a transport takes when its protocol calls for them. */
export interface RequestSteps {
  /** Reads the operation from the query string or the body, once. @throws errors of the request. */
  readonly readParams: () => Promise<OperationParams>;
  /**
   * Charges an operation by its cost, or a request without a valid operation as the cheapest one, to its viewer and
   * address.
   *
   * @throws TidegateError RATE_LIMITED
   */
  readonly charge: (params?: OperationParams) => Promise<void>;
}
