import type { UserConfig } from 'vite';
import { manifestPlugin, type ManifestOptions } from './manifest-plugin.ts';
import { sharedLibraries } from './shared-libraries.ts';

export interface MicroFrontendOptions extends ManifestOptions {
  /** Module for each name of an entry. */
  readonly input: Readonly<Record<string, string>>;
  /** Set by the shell, which bundles the shared libraries. Every other build leaves them to the page's import map. */
  readonly provides?: 'shared-libraries';
}

/** Returns the Vite configuration of a micro-frontend: flat hashed ES modules and a manifest. */
export function microFrontend(options: MicroFrontendOptions): UserConfig {
  const external = options.provides === 'shared-libraries' ? [] : Object.keys(sharedLibraries);
  return {
    base: './',
    logLevel: 'warn',
    clearScreen: false,
    publicDir: false,
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    build: {
      target: 'es2023',
      outDir: 'dist',
      assetsDir: '',
      modulePreload: false,
      reportCompressedSize: false,
      rolldownOptions: {
        input: { ...options.input },
        external,
        // The entry of a shared library has to keep the names of all its exports.
        preserveEntrySignatures: 'strict',
        output: {
          entryFileNames: '[name]-[hash].js',
          chunkFileNames: '[name]-[hash].js',
          assetFileNames: '[name]-[hash][extname]',
        },
      },
    },
    plugins: [manifestPlugin(options)],
  };
}
