/** Promise: every command that a page shows works as it is written. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, repositoryRoot, temporaryDirectory, until } from '@tidegate/testing';
import { describe, expect, it } from 'vitest';
import { documentedCommands, pages, readPage } from './documented-commands.ts';
import { ShellSession } from './shell-session.ts';

const START = 'npm start';

/** Commands that take long or change the machine, with any arguments, each with the file that runs the same. */
const runElsewhere: Readonly<Record<string, string>> = {
  'npm ci': 'scripts/launch.mjs',
  'npm test': 'scripts/launch.test.ts',
  'npm run check': 'scripts/architecture.test.ts',
  'npm run bench': 'bench/run.ts',
  'git config commit.template': '.gitmessage',
};

const elsewhereOf = (command: string): string | undefined =>
  Object.keys(runElsewhere).find((begin) => command === begin || command.startsWith(`${begin} `));

const commands = documentedCommands();

describe('the pages', () => {
  it('have commands', () => {
    expect(commands.map(({ command }) => command)).toContain(START);
    expect(commands.length).toBeGreaterThan(8);
  });

  it('name scripts of npm that exist', () => {
    const { scripts } = JSON.parse(readFileSync(join(repositoryRoot, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    const named = pages().flatMap((page) =>
      [...readPage(page).matchAll(/\bnpm run (?:-s )?([\w:-]+)/g)].map(([, name = '']) => name),
    );
    expect(named.filter((name) => !Object.hasOwn(scripts, name))).toEqual([]);
  });

  it('have every command of the list of those run elsewhere, and that list has files that exist', () => {
    const shown = new Set(commands.map(({ command }) => elsewhereOf(command)));
    expect(Object.keys(runElsewhere).filter((begin) => !shown.has(begin))).toEqual([]);
    expect(Object.values(runElsewhere).filter((file) => !existsSync(join(repositoryRoot, file)))).toEqual([]);
  });

  it('name folders of tests that exist', () => {
    const folders = commands.flatMap(({ command }) => /^npm test -- ([\w./-]+)/.exec(command)?.[1] ?? []);
    expect(folders.length).toBeGreaterThan(0);
    expect(folders.filter((folder) => !existsSync(join(repositoryRoot, folder)))).toEqual([]);
  });
});

describe('the commands of the pages', () => {
  it('work in their order, with another port and data folder', async () => {
    await using directory = await temporaryDirectory();
    const port = String(await freePort());
    await using session = new ShellSession({ PORT: port, DATA_DIR: directory.path });
    const { output } = session.start(START);
    await until(() => output().includes(`Tidegate ready at http://127.0.0.1:${port}`), {
      what: 'the address',
      timeoutMs: 60_000,
    });

    const answers: string[] = [];
    const streams: (() => string)[] = [];
    for (const { command } of commands) {
      if (command === START || elsewhereOf(command)) continue;
      const here = command.replaceAll('localhost:4000', `localhost:${port}`);
      if (!/\bcurl\b.* -N\b/.test(here)) answers.push(await session.run(here));
      else {
        const stream = session.start(here);
        streams.push(stream.output);
        await until(() => stream.output().includes('id:'), { what: `the first cursor of ${command}` });
      }
    }

    for (const answer of answers) expect(answer).not.toMatch(/"errors?":|CommandRejected/);
    const orderId = answers.map((answer) => /"orderId":"([^"]+)"/.exec(answer)?.[1]).find(Boolean);
    expect(orderId).toBeTruthy();
    await until(() => streams.every((text) => text().includes(orderId!)), {
      what: 'the order on each stream',
    });
    expect(streams.length).toBeGreaterThan(0);
  });
});
