import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { devSecret } from './dev-secret.ts';

describe('devSecret', () => {
  let directory: string;
  beforeEach(async () => void (directory = join(await mkdtemp(join(tmpdir(), 'tidegate-')), 'data')));
  afterEach(() => rm(join(directory, '..'), { recursive: true }));

  it('creates 48 random bytes once, readable by the owner only', async () => {
    const secret = await devSecret(directory);
    expect(Buffer.from(secret, 'base64url')).toHaveLength(48);
    expect(await devSecret(directory)).toBe(secret);
    expect((await stat(join(directory, 'dev-secret'))).mode & 0o777).toBe(0o600);
  });

  it('creates a secret of its own for each purpose', async () => {
    expect(await devSecret(directory, 'dev-cursor-secret')).not.toBe(await devSecret(directory));
  });

  it.each(['', 'half', '\n'])('replaces the rest of a write that was not finished: %j', async (rest) => {
    await mkdir(directory);
    await writeFile(join(directory, 'dev-secret'), rest);
    const secret = await devSecret(directory);
    expect(secret).toHaveLength(64);
    expect(await devSecret(directory)).toBe(secret);
  });

  it('keeps a secret of at least 32 characters, whatever editor wrote it', async () => {
    await mkdir(directory);
    await writeFile(join(directory, 'dev-secret'), `${'s'.repeat(32)}\n`);
    expect(await devSecret(directory)).toBe('s'.repeat(32));
  });

  it('is the same for all that start at once, and leaves no other file', async () => {
    const secrets = await Promise.all(Array.from({ length: 20 }, () => devSecret(directory)));
    expect(new Set(secrets).size).toBe(1);
    expect(await readdir(directory)).toEqual(['dev-secret']);
  });

  it('leaves no file when it cannot be written', async () => {
    await mkdir(join(directory, 'dev-secret'), { recursive: true });
    await expect(devSecret(directory)).rejects.toThrow('EISDIR');
    expect(await readdir(directory)).toEqual(['dev-secret']);
  });
});
