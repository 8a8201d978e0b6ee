import { writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { freePort, repositoryRoot, temporaryDirectory, until } from '@tidegate/testing';
import { describe, expect, it } from 'vitest';
import { startSupervisedProcess, type SupervisedProcess } from './supervised-process.ts';

const server = `
import { createServer } from 'node:http';
createServer((request, response) => response.end(request.url + ' ' + process.pid)).listen(Number(process.env.PORT), '127.0.0.1');
`;

async function withProcess(
  { restarts = true, source = server },
  use: (process: SupervisedProcess, lines: string[]) => Promise<void>,
): Promise<void> {
  await using directory = await temporaryDirectory();
  const entry = join(directory.path, 'entry.ts');
  await writeFile(entry, source);
  const port = await freePort();
  const lines: string[] = [];
  const supervised = startSupervisedProcess({
    name: 'server',
    entry: relative(repositoryRoot, entry),
    env: { PORT: String(port) },
    url: `http://127.0.0.1:${port}`,
    restarts,
    onLine: (line) => lines.push(line),
  });
  try {
    await use(supervised, lines);
  } finally {
    await supervised.stop();
  }
}

const ready = async (supervised: SupervisedProcess): Promise<boolean> =>
  (await supervised.readiness()).status === 200;

describe('a supervised process', () => {
  it('is reported as dead and started again after a kill', () =>
    withProcess({}, async (supervised, lines) => {
      await until(() => ready(supervised), { what: 'the first start answers' });
      const first = supervised.pid;
      await supervised.kill('SIGKILL');
      expect(supervised.pid).toBeUndefined();
      expect(lines).toContain('*** server died (SIGKILL)');
      await until(() => ready(supervised), { what: 'it answers again' });
      expect(supervised.pid).not.toBe(first);
    }));

  it('stays down after a kill without restarts, until restart is called', () =>
    withProcess({ restarts: false }, async (supervised, lines) => {
      await until(() => ready(supervised), { what: 'the first start answers' });
      await supervised.kill('SIGKILL');
      expect(lines.join()).not.toContain('started again');
      expect((await supervised.readiness()).status).toBe(0);
      await supervised.restart();
      await until(() => ready(supervised), { what: 'it answers again' });
    }));

  it('is retried with growing waits when it cannot start, and never after stop', () =>
    withProcess({ source: 'process.exit(4);' }, async (supervised, lines) => {
      const deaths = (): number => lines.filter((line) => line === '*** server died (exit code 4)').length;
      await until(() => deaths() === 2, { what: 'it died twice' });
      await supervised.stop();
      const logged = lines.length;
      await supervised.restart();
      expect(supervised.pid).toBeUndefined();
      expect(lines).toHaveLength(logged);
    }));
});
