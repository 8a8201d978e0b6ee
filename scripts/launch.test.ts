import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { cp, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { nodeBinary, repositoryRoot, temporaryDirectory, until } from '@tidegate/testing';
import { describe, expect, it } from 'vitest';

/** Creates a repository with one npm script, `go`, that prints its pid and waits for SIGTERM. */
async function withScript(use: (root: string) => Promise<void>): Promise<void> {
  await using directory = await temporaryDirectory();
  const root = directory.path;
  await mkdir(join(root, 'scripts'));
  await cp(join(repositoryRoot, 'scripts/launch.mjs'), join(root, 'scripts/launch.mjs'));
  // Looks installed to the launcher, which must not run `npm ci` in this test.
  await mkdir(join(root, 'node_modules/.bin'), { recursive: true });
  await symlink(nodeBinary, join(root, 'node_modules/.bin/node'));
  await writeFile(join(root, 'package-lock.json'), '{}');
  await writeFile(
    join(root, 'node_modules/.tidegate-stamp'),
    createHash('sha256').update('{}').digest('hex'),
  );
  await writeFile(join(root, 'package.json'), '{"scripts":{"go":"exec node scripts/launch.mjs go.ts"}}');
  await writeFile(
    join(root, 'go.ts'),
    `console.log('pid ' + process.pid + ' ' + process.version + ' ' + process.argv.slice(2));
     process.on('SIGTERM', () => setTimeout(() => process.exit(5), 100));
     setInterval(() => {}, 1000);`,
  );
  await use(root);
}

async function start(root: string): Promise<{ npm: ReturnType<typeof spawn>; pid: number; line: string }> {
  const npm = spawn('npm', ['run', '-s', 'go', '--', 'a', 'b'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  for await (const line of createInterface({ input: npm.stdout })) {
    if (line.startsWith('pid ')) return { npm, pid: Number(line.split(' ')[1]), line };
  }
  throw new Error('the script did not start');
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe('an npm script', () => {
  it('runs on Node 24 with its arguments; npm forwards a signal to it and waits for its end', () =>
    withScript(async (root) => {
      const { npm, pid, line } = await start(root);
      expect(line).toMatch(/ v24\..* a,b$/);
      npm.kill('SIGTERM');
      await once(npm, 'exit');
      expect(isRunning(pid)).toBe(false);
    }));

  it('ends soon after npm was killed', () =>
    withScript(async (root) => {
      const { npm, pid } = await start(root);
      npm.kill('SIGKILL');
      await until(() => !isRunning(pid), { what: 'the script has ended' });
    }));
});
