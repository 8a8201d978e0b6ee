import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '@tidegate/testing';

/** A command of a fenced `sh` block. */
export interface DocumentedCommand {
  /** Path of the page, relative to the root of the repository. */
  readonly page: string;
  /** The command as the page has it, without comments. */
  readonly command: string;
}

const SHELL_BLOCK = /^```(?:sh|bash|shell|console)\n(.*?)^```/gms;

/** Pages that the repository documents itself with. Decisions in `docs/adr` are history. */
export function pages(): string[] {
  const docs = readdirSync(join(repositoryRoot, 'docs')).filter((name) => name.endsWith('.md'));
  return ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', ...docs.map((name) => `docs/${name}`)];
}

/** Returns the commands of all pages, in their order. */
export function documentedCommands(): DocumentedCommand[] {
  return pages().flatMap((page) =>
    [...readPage(page).matchAll(SHELL_BLOCK)].flatMap(([, block = '']) =>
      commandsOf(block).map((command) => ({ page, command })),
    ),
  );
}

export function readPage(page: string): string {
  return readFileSync(join(repositoryRoot, page), 'utf8');
}

/** Splits a block at the ends of lines that no backslash continues. A comment begins a line or follows two spaces. */
function commandsOf(block: string): string[] {
  return block
    .replaceAll(/(^| {2,})#.*$/gm, '')
    .split(/(?<!\\)\n/)
    .map((command) => command.trim())
    .filter((command) => command !== '');
}
