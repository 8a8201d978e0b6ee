import { TidegateError } from '@tidegate/core';

/**
 * Describes in one line for an operator why something cannot be reached: the outermost message and the system's code
 * of the root cause (`ECONNREFUSED 127.0.0.1:9092`). Credentials in URLs are removed.
 */
export function describeFailure(error: unknown): string {
  const outer = error instanceof Error ? error.message : String(error);
  const root = rootOf(error);
  const parts = [outer, root === error ? systemCode(root) : (systemCode(root) ?? messageOf(root))];
  const line = parts
    .filter((part, at): part is string => !!part && (at === 0 || !outer.includes(part)))
    .join(': ');
  return (line || 'an error without a message')
    .replaceAll(/\/\/[^@/\s]*@/g, '//***@')
    .replaceAll(/\s+/g, ' ');
}

/** Returns the innermost cause. Of an AggregateError (Node tries IPv4 and IPv6) the first error counts. */
function rootOf(error: unknown): unknown {
  if (error instanceof AggregateError && error.errors.length > 0) return rootOf(error.errors[0]);
  if (error instanceof Error && error.cause !== undefined) return rootOf(error.cause);
  return error;
}

function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || error instanceof TidegateError) return undefined;
  const { code, address, port } = error as NodeJS.ErrnoException & { address?: string; port?: number };
  if (typeof code !== 'string' || address === undefined) return code;
  return port === undefined ? `${code} ${address}` : `${code} ${address}:${port}`;
}

function messageOf(error: unknown): string | undefined {
  return error instanceof Error ? error.message : undefined;
}
