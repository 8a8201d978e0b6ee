import { basename, dirname, join } from 'node:path/posix';

/** A source file of the repository and what it imports, as written. Paths are relative to the root. */
export interface SourceFile {
  readonly path: string;
  readonly imports: readonly string[];
}

/** Folder of each workspace by its package name, e.g. `@tidegate/errors` → `packages/errors`. */
export type Workspaces = ReadonlyMap<string, string>;

/** Who may import whom, beside its own folder. What is not named imports nothing of the repository. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  microfrontends: ['live-client'],
  'live-client': [],
  packages: ['packages'],
  services: ['packages'],
  bffs: ['packages'],
  gateway: ['packages'],
};

/** They wire, drive or measure the whole: they may import anything. */
const aboveTheTable = new Set(['embedded', 'scripts', 'e2e', 'bench']);

/** The one file name that may import a vendor's SDK, so that the vendor can be replaced by replacing the file. */
const vendorFiles: Readonly<Record<string, string>> = {
  kafkajs: 'kafka.ts',
  '@platformatic/kafka': 'platformatic-kafka.ts',
  ioredis: 'redis.ts',
  pg: 'postgres.ts',
  'node:sqlite': 'sqlite.ts',
};

/** How micro-frontends are built is shared; it is no part of what any of them ships, so nothing shipped imports it. */
const buildTooling = /^microfrontends\/(build\.ts$|build\/|[^/]+\/vite\.config\.ts$)/;

/** One sentence for each import that the table does not allow. */
export function violations(files: readonly SourceFile[], workspaces: Workspaces): string[] {
  return files.flatMap((file) =>
    file.imports.flatMap((specifier) => {
      const why = zoneViolation(file.path, specifier, workspaces) ?? vendorViolation(file.path, specifier);
      return why === undefined ? [] : [`${file.path} imports ${specifier}: ${why}`];
    }),
  );
}

function zoneViolation(path: string, specifier: string, workspaces: Workspaces): string | undefined {
  const from = zoneOf(path);
  if (aboveTheTable.has(from) || isWiring(path) || buildTooling.test(path)) return undefined;
  const target = targetOf(path, specifier, workspaces);
  if (target === undefined || folderOf(target) === folderOf(path)) return undefined;
  if (specifier.startsWith('.')) return 'another workspace is imported by its name, not by its path';
  // A test may hold its part to what the packages say, and use their tools, wherever the part itself runs.
  const allowed = [...(mayImport[from] ?? []), ...(/\.test\.tsx?$/.test(path) ? ['packages'] : [])];
  if (allowed.includes(zoneOf(target))) return undefined;
  return `${from} may import ${allowed.length === 0 ? 'nothing else of the repository' : `only ${allowed.join(', ')}`}`;
}

function vendorViolation(path: string, specifier: string): string | undefined {
  const vendor = packageOf(specifier);
  const file = Object.hasOwn(vendorFiles, vendor) ? vendorFiles[vendor] : undefined;
  // A test may look at a backend from outside, with the vendor's own client.
  if (!file || aboveTheTable.has(zoneOf(path)) || path.endsWith('.test.ts')) return undefined;
  return basename(path) === file ? undefined : `only a file named ${file} may`;
}

/** A process's `main.ts` builds adapters and passes them: wiring is what it is for. */
function isWiring(path: string): boolean {
  return /^(.+-)?main\.ts$/.test(basename(path));
}

/** The file or folder of the repository that is meant; undefined for npm's and Node's own. */
function targetOf(path: string, specifier: string, workspaces: Workspaces): string | undefined {
  return specifier.startsWith('.') ? join(dirname(path), specifier) : workspaces.get(packageOf(specifier));
}

function zoneOf(path: string): string {
  if (folderOf(path) === 'packages/live-client') return 'live-client';
  return path.split('/')[0] ?? '';
}

/** The workspace that a path belongs to: `services/orders/src/x.ts` → `services/orders`, `gateway/src/x.ts` → `gateway`. */
function folderOf(path: string): string {
  const [first = '', second = ''] = path.split('/');
  return ['packages', 'services', 'bffs', 'microfrontends'].includes(first) ? `${first}/${second}` : first;
}

function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}
