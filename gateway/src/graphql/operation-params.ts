import { TidegateError } from '@tidegate/core';

/** Parameters of a GraphQL request, the same for all transports. */
export interface OperationParams {
  readonly query?: string | null | undefined;
  readonly documentId?: string | null | undefined;
  readonly operationName?: string | null | undefined;
  readonly variables?: Record<string, unknown> | null | undefined;
  readonly extensions?: Record<string, unknown> | null | undefined;
}

const TEXTS = ['query', 'documentId', 'operationName'] as const;
const OBJECTS = ['variables', 'extensions'] as const;

/**
 * Checks the types of parameters that a client has sent. Unknown parameters are ignored.
 *
 * @throws TidegateError BAD_REQUEST that names the parameter.
 */
export function parseOperationParams(value: unknown): OperationParams {
  if (!isObject(value)) throw new TidegateError('BAD_REQUEST', 'A GraphQL request has to be a JSON object.');
  for (const name of TEXTS) {
    const given = value[name] ?? undefined;
    if (given !== undefined && typeof given !== 'string') throw wrongType(name, 'a text');
  }
  for (const name of OBJECTS) {
    const given = value[name] ?? undefined;
    if (given !== undefined && !isObject(given)) throw wrongType(name, 'an object');
  }
  return value;
}

/** SHA-256 of the document, of "automatic persisted queries". @throws TidegateError BAD_REQUEST */
export function persistedHashOf({ extensions }: OperationParams): string | undefined {
  const persisted = extensions?.['persistedQuery'] ?? undefined;
  if (persisted === undefined) return undefined;
  const hash = isObject(persisted) ? persisted['sha256Hash'] : undefined;
  if (typeof hash === 'string' && hash !== '') return hash.toLowerCase();
  throw wrongType('extensions.persistedQuery.sha256Hash', 'a text');
}

/** Returns the resume cursor in `extensions`. @throws TidegateError CURSOR_INVALID when it is not a string. */
export function cursorOf({ extensions }: OperationParams): string | undefined {
  const cursor = extensions?.['cursor'];
  if (cursor === undefined || typeof cursor === 'string') return cursor;
  throw new TidegateError('CURSOR_INVALID', '`extensions.cursor` has to be a text.');
}

function wrongType(name: string, expected: string): TidegateError {
  return new TidegateError('BAD_REQUEST', `\`${name}\` has to be ${expected}.`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** True for parameters that name their document by its id. */
export function namesDocument(params: OperationParams): boolean {
  return typeof documentIdOf(params) === 'string';
}

function documentIdOf({ documentId, extensions }: OperationParams): unknown {
  const persisted = extensions?.['persistedQuery'];
  return documentId ?? (isObject(persisted) ? persisted['sha256Hash'] : undefined);
}
