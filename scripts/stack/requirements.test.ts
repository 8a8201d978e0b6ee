import { afterEach, describe, expect, it, vi } from 'vitest';
import { advice, findMissing, installMissing, MissingProgramsError } from './requirements.ts';

describe('the programs that the stack needs', () => {
  afterEach(() => vi.unstubAllEnvs());

  it('are missing when they are not in PATH', () => {
    vi.stubEnv('PATH', '/nowhere');
    expect(findMissing(['java', 'maven', 'redis'])).toEqual(['java', 'maven', 'redis']);
  });

  it('are listed with their packages when they may not be installed', () => {
    vi.stubEnv('PATH', '/nowhere');
    expect(() => installMissing(['redis'], () => {})).toThrow(MissingProgramsError);
    expect(() => installMissing(['redis'], () => {})).toThrow('sudo apt-get install redis-server');
    expect(advice(['redis', 'chromium'])).toContain('Chromium, for the browser tests');
  });

  it('are missing when CHROMIUM_PATH names a file that does not exist', () => {
    vi.stubEnv('CHROMIUM_PATH', '/no/chromium');
    expect(findMissing(['chromium'])).toEqual(['chromium']);
  });
});
