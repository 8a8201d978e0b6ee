import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseSync } from 'oxc-parser';
import type { SourceFile, Workspaces } from './import-table.ts';

/** A source file's path, relative to the repository's root, and its text. */
export interface SourceText {
  readonly path: string;
  readonly text: string;
}

const folders = '{packages,gateway,contracts,services,bffs,microfrontends,deployments,scripts,e2e,bench}';

/** Reads every source file of the repository, generated ones included. */
export function readTexts(root: string): SourceText[] {
  return globSync(`${folders}/**/*.{ts,tsx,mjs}`, { cwd: root, exclude: isOutside }).map((path) => ({
    path: path.replaceAll('\\', '/'),
    text: readFileSync(join(root, path), 'utf8'),
  }));
}

/** Returns each file with the specifiers it imports: statically, by re-export and by `import()`. */
export function readImports(texts: readonly SourceText[]): SourceFile[] {
  return texts.map(({ path, text }) => ({ path, imports: importsOf(path, text) }));
}

/** @throws Error when the file does not parse: an unread file must not count as a clean one. */
export function importsOf(path: string, source: string): string[] {
  const { module, errors } = parseSync(path, source);
  if (errors.length > 0) throw new Error(`${path} does not parse: ${errors[0]?.message}`);
  const reExported = module.staticExports.flatMap((statement) =>
    statement.entries.flatMap((entry) => entry.moduleRequest?.value ?? []),
  );
  const dynamic = module.dynamicImports
    .map(
      ({ moduleRequest }) =>
        /^(['"`])(.*)\1$/.exec(source.slice(moduleRequest.start, moduleRequest.end))?.[2],
    )
    .filter((specifier) => specifier !== undefined);
  return [
    ...new Set([...module.staticImports.map((one) => one.moduleRequest.value), ...reExported, ...dynamic]),
  ];
}

/** Returns the folder of each workspace by its package name. */
export function readWorkspaces(root: string): Workspaces {
  const manifests = globSync(
    '{packages/*,gateway,contracts,services/*,bffs/*,microfrontends/*,deployments}/package.json',
    { cwd: root },
  );
  return new Map(
    manifests.map((path) => {
      const { name } = JSON.parse(readFileSync(join(root, path), 'utf8')) as { name: string };
      return [name, dirname(path)];
    }),
  );
}

function isOutside(path: string): boolean {
  return /(^|\/)(node_modules|dist)(\/|$)/.test(path);
}
