import type { DocumentNode } from 'graphql';
import type { OperationParams } from '../graphql/operation-params.ts';

/** Estimated memory that an operation holds from its start to its end. */
export interface OperationBytes {
  /** Size of its id and parameters, which are its own, in bytes. */
  readonly own: number;
  /** Its parsed document, which operations of the same text share. */
  readonly document: DocumentNode;
}

/** Measured on graphql 17: 240 to 450 bytes, with the location of each node. */
const BYTES_PER_TOKEN = 450;
/** The operation itself, its entries in maps and its closures. */
const BYTES_PER_OPERATION = 128;
const BYTES_PER_OBJECT = 56;
const BYTES_PER_SLOT = 8;

/** Estimates the memory of an operation. Variables count twice: they are kept as sent and as coerced. */
export function operationBytes(params: OperationParams, document: DocumentNode, id = ''): OperationBytes {
  const own = BYTES_PER_OPERATION + id.length + valueBytes(params) + valueBytes(params.variables);
  return { own, document };
}

/** Estimates the memory of a parsed document. */
export function documentBytes({ tokenCount = 0, loc }: DocumentNode): number {
  return tokenCount * BYTES_PER_TOKEN + (loc?.source.body.length ?? 0);
}

/** Estimates the memory of a JSON value. Not recursive: a client decides how deep the value is. */
function valueBytes(root: unknown): number {
  let bytes = 0;
  const waiting = [root];
  while (waiting.length > 0) {
    const value = waiting.pop();
    bytes += BYTES_PER_SLOT;
    if (typeof value === 'string') bytes += value.length;
    if (typeof value !== 'object' || value === null) continue;
    bytes += BYTES_PER_OBJECT;
    for (const [key, inner] of Object.entries(value)) {
      if (!Array.isArray(value)) bytes += key.length;
      waiting.push(inner);
    }
  }
  return bytes;
}
