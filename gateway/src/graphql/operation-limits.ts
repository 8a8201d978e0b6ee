const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;
const MANY = 10_000_000;

/** Limits of a document, its variables and its result: rows of `gatewayLimits`. */
export const operationLimits = {
  maxDocumentBytes: {
    variable: 'MAX_DOCUMENT_BYTES',
    unit: 'bytes',
    default: 64 * KIB,
    range: [KIB, GIB],
    meaning: 'size of a GraphQL document',
  },
  maxDocumentTokens: {
    variable: 'MAX_DOCUMENT_TOKENS',
    unit: 'count',
    default: 2_000,
    range: [1, MANY],
    meaning: 'tokens of a GraphQL document',
  },
  maxDocumentDepth: {
    variable: 'MAX_DOCUMENT_DEPTH',
    unit: 'count',
    default: 20,
    range: [1, 1_000],
    meaning: 'nested fields of an operation, through its fragments',
  },
  maxAliases: {
    variable: 'MAX_ALIASES',
    unit: 'count',
    default: 100,
    range: [0, MANY],
    meaning: 'aliases of a GraphQL document',
  },
  maxDirectives: {
    variable: 'MAX_DIRECTIVES',
    unit: 'count',
    default: 50,
    range: [0, MANY],
    meaning: 'directives of a GraphQL document',
  },
  maxRepeatedFields: {
    variable: 'MAX_REPEATED_FIELDS',
    unit: 'count',
    default: 100,
    range: [0, MANY],
    meaning: 'fields of a GraphQL document that repeat the name of another one of their selection',
  },
  maxFragments: {
    variable: 'MAX_FRAGMENTS',
    unit: 'count',
    default: 50,
    range: [0, MANY],
    meaning: 'fragments of a GraphQL document',
  },
  maxRootFields: {
    variable: 'MAX_ROOT_FIELDS',
    unit: 'count',
    default: 20,
    range: [1, MANY],
    meaning: 'root fields of an operation',
  },
  maxVariableBytes: {
    variable: 'MAX_VARIABLE_BYTES',
    unit: 'bytes',
    default: 128 * KIB,
    range: [0, GIB],
    meaning: 'size of the variables of an operation',
  },
  maxVariableDepth: {
    variable: 'MAX_VARIABLE_DEPTH',
    unit: 'count',
    default: 16,
    range: [1, 1_000],
    meaning: 'nested lists and objects of the variables, or of an argument in the document',
  },
  maxListLength: {
    variable: 'MAX_LIST_LENGTH',
    unit: 'count',
    default: 1_000,
    range: [1, MANY],
    meaning: 'length of a list in the variables',
  },
  maxOperationCost: {
    variable: 'MAX_OPERATION_COST',
    unit: 'count',
    default: 1_250,
    range: [1, 1_000_000_000],
    meaning: 'cost of an operation, in about the calls of a service that it makes',
  },
  maxResponseBytes: {
    variable: 'MAX_RESPONSE_BYTES',
    unit: 'bytes',
    default: 4 * MIB,
    range: [KIB, GIB],
    meaning: 'size of the result of a query or mutation',
  },
  documentCacheBytes: {
    variable: 'DOCUMENT_CACHE_BYTES',
    unit: 'bytes',
    default: 16 * MIB,
    range: [MIB, 64 * GIB],
    meaning: 'memory for the parsed documents of one BFF; beyond it the least recently used are evicted',
  },
} as const;

/** A value for each limit of an operation. */
export type OperationLimits = { readonly [Name in keyof typeof operationLimits]: number };

type Name = keyof OperationLimits;
const names = Object.keys(operationLimits) as Name[];
const valuesOf = (value: (name: Name) => number): OperationLimits =>
  Object.fromEntries(names.map((name) => [name, value(name)])) as OperationLimits;

export const defaultOperationLimits = valuesOf((name) => operationLimits[name].default);

/** For operations that were accepted under the limits of another process. */
export const widestOperationLimits: OperationLimits = {
  ...valuesOf((name) => operationLimits[name].range[1]),
  documentCacheBytes: operationLimits.documentCacheBytes.default,
};
