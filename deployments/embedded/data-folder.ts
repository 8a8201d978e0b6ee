import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { TidegateError } from '@tidegate/core';
import { openLockFile } from '@tidegate/database/sqlite';

/**
 * Takes the data folder, created when missing, for this process alone. Two servers on one folder would tail, sweep and
 * dispatch the same data without knowledge of each other. Programs that only read its secrets, such as
 * `npm run token`, need no claim. The kernel ends the claim with the process, however it ends.
 *
 * @returns the function that gives the folder back.
 * @throws TidegateError CONFIG_INVALID that names the process which has the folder.
 */
export function claimDataFolder(folder: string): () => void {
  mkdirSync(folder, { recursive: true });
  const pidFile = join(folder, 'server.pid');
  const release = openLockFile(join(folder, 'server.lock'));
  if (release) {
    writeFileSync(pidFile, `${process.pid}\n`);
    return release;
  }
  throw new TidegateError(
    'CONFIG_INVALID',
    `the data folder ${folder} is in use by ${holderIn(pidFile)}; stop it, or set DATA_DIR to another folder`,
  );
}

/** Returns the bytes of the folder's files. A file that disappears meanwhile counts nothing. */
export async function bytesOfFolder(folder: string): Promise<number> {
  const sizes = (await readdir(folder)).map((name) =>
    stat(join(folder, name)).then(
      ({ size }) => size,
      () => 0,
    ),
  );
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

/** The holder writes the file right after it took the lock. */
function holderIn(pidFile: string): string {
  try {
    const pid = readFileSync(pidFile, 'utf8').trim();
    return /^\d+$/.test(pid) ? `the process ${pid}` : 'another process';
  } catch {
    return 'another process';
  }
}
