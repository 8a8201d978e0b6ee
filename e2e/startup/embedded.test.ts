/** Promise: the embedded default says in one line why it cannot start, and starts again once the cause is gone. */
import { spawnSync } from 'node:child_process';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { freePort, repositoryRoot, startChild, temporaryDirectory } from '@tidegate/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const ENTRY = 'deployments/embedded.ts';
const READY = 'Tidegate ready';

describe('npm start', () => {
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  let dataDir: string;
  beforeEach(async () => {
    directory = await temporaryDirectory();
    dataDir = join(directory.path, 'data');
  });
  afterEach(() => directory[Symbol.asyncDispose]());

  const start = async (env: Record<string, string> = {}) =>
    startChild(ENTRY, { PORT: String(await freePort()), DATA_DIR: dataDir, DEMO: '0', ...env });

  async function failure(env: Record<string, string> = {}) {
    await using child = await start(env);
    const { code } = await child.exited;
    return { code, lines: child.lines.filter((line) => !line.startsWith('Built')) };
  }

  it('refuses a data folder that another server has, naming its process, until that one is gone', async () => {
    await using first = await start();
    await first.waitForLine(READY, 30_000);
    const { code, lines } = await failure();
    expect(code).toBe(78);
    expect(lines).toEqual([
      expect.stringMatching(
        /^tidegate cannot start: the data folder .*data is in use by the process \d+; stop it/,
      ),
    ]);
    const token = spawnSync(process.execPath, ['scripts/token.ts', '--sub', 'customer-1'], {
      ...{ cwd: repositoryRoot, env: { ...process.env, JWT_SECRET: '', DATA_DIR: dataDir } },
    });
    expect(token.stdout.toString()).toMatch(/^ey/);
    await first.kill('SIGKILL');
    await using second = await start();
    await second.waitForLine(READY, 30_000);
  });

  it.each(['event-log.sqlite', 'orders.sqlite', 'webhooks.sqlite'])(
    'names %s when it is not a database, and leaves it as it is',
    async (name) => {
      await mkdir(dataDir);
      await writeFile(join(dataDir, name), 'a letter, not a database. '.repeat(100));
      const { code, lines } = await failure();
      expect(code).toBe(78);
      expect(lines).toEqual([expect.stringContaining(`${name} is not a SQLite database`)]);
      await rm(join(dataDir, name));
      await using child = await start();
      await child.waitForLine(READY, 30_000);
    },
  );

  it('names a port that is in use', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const { code, lines } = await failure({ PORT: String(port) });
    expect(code).toBe(1);
    expect(lines).toEqual([expect.stringContaining(`127.0.0.1:${port} is in use by another process`)]);
    server.close();
  });

  it('names a limit of open files that is too low', () => {
    const { stderr, status } = spawnSync('sh', ['-c', `ulimit -n 128; exec "$NODE" ${ENTRY}`], {
      ...{ cwd: repositoryRoot, env: { NODE: process.execPath, PORT: '0', DATA_DIR: dataDir } },
    });
    expect(stderr.toString()).toBe(
      'tidegate cannot start: the process may have 128 files open and needs 256; raise the limit, such as with `ulimit -n 4096`\n',
    );
    expect(status).toBe(78);
  });

  it('starts after a first start whose secrets were cut off', async () => {
    await mkdir(dataDir);
    for (const name of ['dev-secret', 'dev-cursor-secret']) await writeFile(join(dataDir, name), '');
    await using child = await start();
    await child.waitForLine(READY, 30_000);
    expect((await readdir(dataDir)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it('issues development tokens with its own secret only, unless they are switched off', async () => {
    const statusOf = async (env: Record<string, string>, headers: Record<string, string> = {}) => {
      const port = String(await freePort());
      await using child = await start({ PORT: port, ...env });
      await child.waitForLine(READY, 30_000);
      const response = await fetch(`http://127.0.0.1:${port}/dev/token`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ sub: 'customer-1', role: 'customer' }),
      });
      return response.status;
    };
    expect(await statusOf({})).toBe(200);
    expect(await statusOf({}, { 'x-forwarded-for': '127.0.0.1' })).toBe(404);
    expect(await statusOf({ DEV_LOGIN: '0' })).toBe(404);
    expect(await statusOf({ JWT_SECRET: 's'.repeat(40) })).toBe(404);
    expect(await statusOf({ JWKS_URL: 'http://127.0.0.1:9/keys' })).toBe(404);
  });
});
