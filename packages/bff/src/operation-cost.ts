/** Costs of a BFF's fields that differ from the defaults. One unit is about the work of one call of a service. */
export interface BffCost {
  /** By coordinate, such as `Query.counters`. */
  readonly fields?: Readonly<Record<string, FieldCost>>;
  /** Maximum cost of one operation of this BFF. Default: the gateway's limit `maxOperationCost`. */
  readonly maxCost?: number;
  /** Assumed length of a list of which neither an argument nor `fields` tells the length. Default 10. */
  readonly defaultListSize?: number;
  /** Names of arguments that hold the length of a page. Default `first`, `last` and `limit`. */
  readonly pageArguments?: readonly string[];
}

/** Cost of one field. */
export interface FieldCost {
  /** Cost of resolving the field once, without its selection. Default: 1 for a root field, else 0.05. */
  readonly weight?: number;
  /** Assumed length of its list. */
  readonly listSize?: number;
  /** Cost of loading one item of its page, without the item's selection. Default 1. */
  readonly itemWeight?: number;
}
