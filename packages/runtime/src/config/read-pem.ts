import { readFileSync } from 'node:fs';
import { TidegateError } from '@tidegate/core';

/**
 * Returns the content of a PEM file that a variable names; undefined when the variable is not set.
 *
 * @param name name of the variable, for the error.
 * @throws TidegateError CONFIG_INVALID when the file cannot be read or is not in PEM.
 */
export function readPem(name: string, path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  let content: string;
  try {
    content = readFileSync(path, 'utf8');
  } catch (error) {
    throw invalid(`${name} names ${path}, which cannot be read: ${(error as Error).message}`);
  }
  if (!content.includes('-----BEGIN ')) throw invalid(`${name} names ${path}, which is not in PEM`);
  return content;
}

function invalid(message: string): TidegateError {
  return new TidegateError('CONFIG_INVALID', message);
}
