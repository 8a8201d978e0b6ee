import { z } from 'zod';

/** Flat, hashed file names; nothing that could lead out of the folder. */
export const fileName = z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/, 'a plain file name');
/** Micro-frontends are named as their folders are. */
export const microFrontendName = z.string().regex(/^[a-z][a-z0-9-]{0,63}$/, 'a lower-case name');

const specifier = z.string().regex(/^(@[a-z0-9-]+\/)?[a-z0-9-]+(\/[a-z0-9-]+)*$/, 'a bare module specifier');

const manifest = z
  .object({
    name: microFrontendName,
    title: z.string().min(1).max(80),
    entry: fileName,
    css: z.array(fileName),
    integrity: z.record(fileName, z.string().regex(/^sha384-[A-Za-z0-9+/]{64}$/)),
    imports: z.array(specifier),
    exposes: z.record(specifier, fileName),
  })
  .refine(({ entry, css, exposes, integrity }) => {
    return [entry, ...css, ...Object.values(exposes)].every((file) => Object.hasOwn(integrity, file));
  }, 'every file that is named must have its hash in `integrity`');

/** What a micro-frontend's build says about it, in `dist/manifest.json`. */
export type Manifest = z.infer<typeof manifest>;

/** The one that brings the page along. Only it may provide shared libraries. */
export const SHELL = 'shell';

/**
 * @throws Error with a sentence for the log: not JSON, not a manifest, another's name, or a claim on a specifier
 * that is not its own. A remote that could redefine `preact` could take over the page.
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
