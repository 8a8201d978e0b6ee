import { z } from 'zod';
import { pagePath } from './page-paths.ts';

/** File names without a path, so that none leads out of the folder. */
export const fileName = z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/, 'a plain file name');
/** A micro-frontend has the name of its folder. */
export const microFrontendName = z.string().regex(/^[a-z][a-z0-9-]{0,63}$/, 'a lower-case name');

const specifier = z.string().regex(/^(@[a-z0-9-]+\/)?[a-z0-9-]+(\/[a-z0-9-]+)*$/, 'a bare module specifier');

const manifest = z
  .object({
    name: microFrontendName,
    title: z.string().min(1).max(80),
    /** Script that starts the micro-frontend. */
    entry: fileName,
    css: z.array(fileName),
    /** Integrity metadata (Subresource Integrity) of each file. */
    integrity: z.record(fileName, z.string().regex(/^sha384-[A-Za-z0-9+/]{64}$/)),
    /** Specifiers that the micro-frontend leaves to the import map. */
    imports: z.array(specifier),
    /** Specifiers that the micro-frontend adds to the import map. */
    exposes: z.record(specifier, fileName),
    /** Paths of the pages that the shell draws. Any other path is answered with 404. Default: every path is a page. */
    pages: z.array(pagePath).optional(),
  })
  .refine(({ entry, css, exposes, integrity }) => {
    return [entry, ...css, ...Object.values(exposes)].every((file) => Object.hasOwn(integrity, file));
  }, 'every file that is named must have its hash in `integrity`');

/** Description of a micro-frontend that its build writes to `dist/manifest.json`. */
export type Manifest = z.infer<typeof manifest>;

/** Name of the micro-frontend that brings the page. Only it may expose shared libraries. */
export const SHELL = 'shell';

/**
 * Parses the manifest of the micro-frontend in `folder`.
 *
 * @throws Error with a sentence for the log when the text is not a manifest, names another micro-frontend, or exposes a
 * specifier of another one: a remote that replaced a shared library could take over the page.
 */
export function parseManifest(text: string, folder: string): Manifest {
  const parsed = manifest.safeParse(JSON.parse(text));
  if (!parsed.success) throw new Error(z.prettifyError(parsed.error).replaceAll('\n', ' '));
  const { name, exposes } = parsed.data;
  if (name !== folder) throw new Error(`it calls itself ${name} and lies in ${folder}`);
  const foreign = Object.keys(exposes).filter((each) => name !== SHELL && each !== `@mfe/${name}`);
  if (foreign.length > 0) throw new Error(`it exposes what is not its own: ${foreign.join(', ')}`);
  return parsed.data;
}
