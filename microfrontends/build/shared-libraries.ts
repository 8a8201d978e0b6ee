/**
 * Libraries that all micro-frontends share: the shell's entry for each bare specifier. Sharing is necessary, not only
 * smaller: two copies of preact have separate hooks, and signals of one copy do not notify the other.
 */
export const sharedLibraries: Readonly<Record<string, string>> = {
  preact: 'preact',
  'preact/hooks': 'preact-hooks',
  'preact/jsx-runtime': 'preact-jsx-runtime',
  '@preact/signals': 'preact-signals',
  '@tidegate/live-client': 'live-client',
};

/** Input of the shell's build: the bare specifier for each entry. */
export const sharedLibraryInputs: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(sharedLibraries).map(([specifier, entry]) => [entry, specifier]),
);
