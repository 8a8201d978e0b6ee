import type { UserConfig } from 'vite';
import { manifestPlugin, type ManifestOptions } from './manifest-plugin.ts';
import { sharedLibraries } from './shared-libraries.ts';

export interface MicroFrontendOptions extends ManifestOptions {
  /** Name of entry to module. */
  readonly input: Readonly<Record<string, string>>;
  /** Only the shell brings the shared libraries along; all others leave them to the page's import map. */
  readonly provides?: 'shared-libraries';
}

/** The Vite configuration that every micro-frontend has: flat hashed ES modules and a manifest. */
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
        // An entry of a shared library has to export what the library exports, by its own names.
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
