import { writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { repositoryRoot, startChild } from './start-child.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const script = `
const name: string = process.env.NAME ?? 'unnamed';
console.log('hello ' + name);
console.error('secret ' + process.env.ONLY_OUTSIDE);
if (process.env.END) process.exit(3);
setInterval(() => {}, 1000);
`;

async function entryIn(directory: string): Promise<string> {
  const path = join(directory, 'entry.ts');
  await writeFile(path, script);
  return relative(repositoryRoot, path);
}

describe('startChild', () => {
  it('runs TypeScript on Node 24 with the given environment only', async () => {
    await using directory = await temporaryDirectory();
    process.env['ONLY_OUTSIDE'] = 'leaked';
    await using child = startChild(await entryIn(directory.path), { NAME: 'tide' });
    expect(await child.waitForLine('hello')).toBe('hello tide');
    expect(await child.waitForLine(/^secret/)).toBe('secret undefined');
  });

  it('reports the signal that ended the process', async () => {
    await using directory = await temporaryDirectory();
    await using child = startChild(await entryIn(directory.path));
    await child.waitForLine('hello');
    expect(await child.kill('SIGKILL')).toEqual({ code: null, signal: 'SIGKILL' });
  });

  it('rejects waitForLine with the output when the child exits before the line', async () => {
    await using directory = await temporaryDirectory();
    await using child = startChild(await entryIn(directory.path), { END: '1' });
    await expect(child.waitForLine('ready')).rejects.toThrow(
      /did not print ready: it exited with 3\n[^]*hello unnamed/,
    );
  });
});
