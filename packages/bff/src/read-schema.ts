import { readdirSync, readFileSync } from 'node:fs';

/**
 * Reads the SDL of a BFF from the `.graphql` files of one folder, in the order of their names.
 *
 * @param folder URL of the folder, with a slash at its end.
 * @throws Error when the folder cannot be read or holds no `.graphql` file.
 *
 * @example
 * const typeDefs = readSchema(new URL('./schema/', import.meta.url));
 */
export function readSchema(folder: URL): string {
  const names = readdirSync(folder)
    .filter((name) => name.endsWith('.graphql'))
    .toSorted();
  if (names.length === 0) throw new Error(`${folder.pathname} holds no .graphql file`);
  return names.map((name) => readFileSync(new URL(name, folder), 'utf8')).join('\n');
}
