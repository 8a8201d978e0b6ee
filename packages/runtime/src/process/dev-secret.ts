import { randomBytes, randomUUID } from 'node:crypto';
import { link, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** One secret for each purpose, so that a token is never accepted as a cursor or the other way round. */
export type DevSecretPurpose = 'dev-secret' | 'dev-cursor-secret' | 'dev-webhook-key' | 'dev-service-secret';

const SECRET_BYTES = 48;
/** A shorter one is the rest of a write that an earlier version did not finish, on a full disk for example. */
const MIN_CHARACTERS = 32;

/**
 * Returns a secret for development, kept in the data folder: 48 random bytes, created at the first call, readable by
 * the owner only. Tokens of `npm run token` and open cursors stay valid across restarts that way. Production sets
 * JWT_SECRET, CURSOR_SECRETS and WEBHOOK_KEYS instead.
 *
 * The file appears complete or not at all: of several processes that start at once, one creates it and all use it. A file
 * of fewer than 32 characters is replaced.
 *
 * @throws the system's error (ENOSPC, EACCES, …) when the secret cannot be written.
 */
export async function devSecret(
  dataDirectory: string,
  purpose: DevSecretPurpose = 'dev-secret',
): Promise<string> {
  const path = join(dataDirectory, purpose);
  await mkdir(dataDirectory, { recursive: true });
  const known = await readSecret(path);
  if (isComplete(known)) return known;
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    await writeDurably(temporary, randomBytes(SECRET_BYTES).toString('base64url'));
    if (known === undefined) await linkUnlessExists(temporary, path);
    else await rename(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
  const secret = await readSecret(path);
  if (isComplete(secret)) return secret;
  throw new Error(
    `${path} holds no secret of at least ${MIN_CHARACTERS} characters; delete it and start again`,
  );
}

async function readSecret(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function isComplete(secret: string | undefined): secret is string {
  return secret !== undefined && secret.length >= MIN_CHARACTERS;
}

async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** `link` does not replace a file that another process has created meanwhile. */
async function linkUnlessExists(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return;
    // File systems without hard links, such as FAT.
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'ENOSYS') throw error;
    await rename(from, to);
  }
}
