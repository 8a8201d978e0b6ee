/**
 * Interface between the build of a micro-frontend and the gateway that composes the page. Written to
 * `dist/manifest.json`; the gateway validates it.
 */
export interface Manifest {
  readonly name: string;
  /** Display name, e.g. in "Orders cannot be shown right now". */
  readonly title: string;
  /** Path of the entry module, relative to the manifest. */
  readonly entry: string;
  readonly css: readonly string[];
  /** Hash (`sha384-…`) of each file that the browser may load. */
  readonly integrity: Readonly<Record<string, string>>;
  /** Bare specifiers that the page has to provide. */
  readonly imports: readonly string[];
  /** File for each bare specifier that this micro-frontend provides. */
  readonly exposes: Readonly<Record<string, string>>;
  /** Paths of pages that the shell draws, such as `/items/:id`. */
  readonly pages?: readonly string[];
}
