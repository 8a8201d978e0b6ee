import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The purposes are apart so that a token can never be mistaken for a cursor, or the other way round. */
export type DevSecretPurpose = 'dev-secret' | 'dev-cursor-secret';

/**
 * A secret for development, kept in the data folder: 48 random bytes, made at the first call, readable by the owner
 * only. Tokens of `npm run token` and open cursors hold across restarts that way. Production sets JWT_SECRET and
 * CURSOR_SECRETS and never comes here.
 */
export async function devSecret(
  dataDirectory: string,
  purpose: DevSecretPurpose = 'dev-secret',
): Promise<string> {
  const path = join(dataDirectory, purpose);
  await mkdir(dataDirectory, { recursive: true });
  try {
    // `wx`: of two processes that start at once, one makes the secret and both use it.
    await writeFile(path, randomBytes(48).toString('base64url'), { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return readFile(path, 'utf8');
}
