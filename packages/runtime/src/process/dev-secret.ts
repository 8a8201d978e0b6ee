import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** One secret for each purpose, so that a token is never accepted as a cursor or the other way round. */
export type DevSecretPurpose = 'dev-secret' | 'dev-cursor-secret' | 'dev-webhook-key' | 'dev-service-secret';

/**
 * Returns a secret for development, kept in the data folder: 48 random bytes, created at the first call, readable by
 * the owner only. Tokens of `npm run token` and open cursors stay valid across restarts that way. Production sets
 * JWT_SECRET, CURSOR_SECRETS and WEBHOOK_KEYS instead.
 */
export async function devSecret(
  dataDirectory: string,
  purpose: DevSecretPurpose = 'dev-secret',
): Promise<string> {
  const path = join(dataDirectory, purpose);
  await mkdir(dataDirectory, { recursive: true });
  try {
    // `wx`: of two processes that start at once, one creates the secret and both use it.
    await writeFile(path, randomBytes(48).toString('base64url'), { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return readFile(path, 'utf8');
}
