import { mkdtemp, rm, stat } from 'node:fs/promises';
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
});
