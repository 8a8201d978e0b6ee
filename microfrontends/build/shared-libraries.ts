/**
 * What every micro-frontend uses and the shell brings along once: bare specifier to name of the shell's entry. One
 * copy is not about size alone: two copies of preact have two sets of hooks, two of signals do not hear each other.
 */
export const sharedLibraries: Readonly<Record<string, string>> = {
  preact: 'preact',
  'preact/hooks': 'preact-hooks',
  'preact/jsx-runtime': 'preact-jsx-runtime',
  '@preact/signals': 'preact-signals',
  '@tidegate/live-client': 'live-client',
};

/** The same as input of the shell's build. */
export const sharedLibraryInputs: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(sharedLibraries).map(([specifier, entry]) => [entry, specifier]),
);
