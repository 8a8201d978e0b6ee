/**
 * What a micro-frontend says about itself: the whole interface between its build and the server that composes the
 * page. Written to `dist/manifest.json`; the server parses it and trusts nothing.
 */
export interface Manifest {
  readonly name: string;
  /** For people, e.g. in "Orders cannot be shown right now". */
  readonly title: string;
  /** The file that is the micro-frontend, relative to the manifest. */
  readonly entry: string;
  readonly css: readonly string[];
  /** `sha384-…` of every file that the browser may load. */
  readonly integrity: Readonly<Record<string, string>>;
  /** The bare specifiers that it needs the page to provide. */
  readonly imports: readonly string[];
  /** The bare specifiers that it provides, and the file of each. */
  readonly exposes: Readonly<Record<string, string>>;
}
