import { parseSync, Visitor, type Node } from 'oxc-parser';
import { createLineLookup } from './line-lookup.ts';

/** A file or function that is longer than its limit. */
export interface Oversize {
  readonly path: string;
  /** First line, from 1. */
  readonly line: number;
  readonly lines: number;
  readonly what: string;
}

export const MAX_FILE_LINES = 300;
export const MAX_FUNCTION_LINES = 60;

/** Returns the file when it is too long, and every function in it that is. Suites are exempt: see `isSuite`. */
export function oversizes(path: string, source: string): Oversize[] {
  const lines = source.trimEnd().split('\n').length;
  const found: Oversize[] = lines > MAX_FILE_LINES ? [{ path, line: 1, lines, what: 'file' }] : [];
  const lineAt = createLineLookup(source);
  const measure = (node: Node & { start: number; end: number }): void => {
    const line = lineAt(node.start);
    const length = lineAt(node.end) - line + 1;
    if (length > MAX_FUNCTION_LINES && !isSuite(source.slice(node.start, node.end)))
      found.push({ path, line, lines: length, what: 'function' });
  };
  new Visitor({
    FunctionDeclaration: measure,
    FunctionExpression: measure,
    ArrowFunctionExpression: measure,
  }).visit(parseSync(path, source).program);
  return found;
}

/** True for functions that only hold tests: a `describe` callback, or an exported conformance suite. */
function isSuite(text: string): boolean {
  return /^\s*(describe|it|test)(\.\w+)*\(/m.test(text);
}
