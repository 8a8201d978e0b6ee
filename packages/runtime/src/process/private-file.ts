import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';

const OWNER_ONLY = 0o600;

/**
 * Makes a file readable and writable by its owner only, and creates it and its folders when they are missing. SQLite
 * gives the files beside a database the same rights. A file whose rights cannot be changed keeps them.
 */
export function makePrivateFile(path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  try {
    closeSync(openSync(path, 'a', OWNER_ONLY));
    chmodSync(path, OWNER_ONLY);
  } catch {
    // The caller opens the file next and reports why it cannot.
  }
}
