import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A directory that is removed when its `await using` block ends. */
export interface TemporaryDirectory extends AsyncDisposable {
  readonly path: string;
  /** Removes the directory and its content. Idempotent. */
  remove(): Promise<void>;
}

/**
 * Creates an empty directory below the system's temporary directory.
 *
 * @param prefix first part of its name. Default `tidegate-`.
 *
 * @example
 * await using directory = await temporaryDirectory();
 * const path = `${directory.path}/log.sqlite`;
 */
export async function temporaryDirectory(prefix = 'tidegate-'): Promise<TemporaryDirectory> {
  const path = await mkdtemp(join(tmpdir(), prefix));
  const remove = (): Promise<void> => rm(path, { recursive: true, force: true, maxRetries: 3 });
  return { path, remove, [Symbol.asyncDispose]: remove };
}
