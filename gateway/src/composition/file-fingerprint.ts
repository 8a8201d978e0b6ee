import { stat } from 'node:fs/promises';

/** Identifies a version of a file by time, size and inode. Undefined when it is not a readable file. */
export async function fingerprintOf(path: string): Promise<string | undefined> {
  try {
    const stats = await stat(path);
    return stats.isFile() ? `${stats.mtimeMs} ${stats.size} ${stats.ino}` : undefined;
  } catch {
    return undefined;
  }
}
