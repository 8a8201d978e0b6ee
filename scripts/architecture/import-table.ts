import { basename, dirname, join } from 'node:path/posix';

/** A source file and the module specifiers it imports, as written. Paths are relative to the repository's root. */
export interface SourceFile {
  readonly path: string;
  readonly imports: readonly string[];
}

/** Folder of each workspace by its package name, e.g. `@tidegate/core` → `packages/core`. */
export type Workspaces = ReadonlyMap<string, string>;

/**
 * Zones that each zone may import, besides its own folder. The product (`packages`, `live-client`, `gateway`) never
 * imports the order platform (`contracts`, `services`, `bffs`, `microfrontends`, `deployments`).
 */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  'live-client': [],
  packages: ['packages'],
  gateway: ['packages'],
  contracts: ['packages'],
  services: ['packages', 'contracts'],
  bffs: ['packages', 'contracts', 'bffs/shared'],
  microfrontends: ['live-client'],
};

/** Zones that wire, drive or measure the whole; they may import anything. */
const aboveTheTable = new Set(['deployments', 'scripts', 'e2e', 'bench']);

/** The one file name that may import a vendor's SDK: replacing the vendor means replacing the file. */
const vendorFiles: Readonly<Record<string, string>> = {
  kafkajs: 'kafka.ts',
  '@platformatic/kafka': 'platformatic-kafka.ts',
  'aws-msk-iam-sasl-signer-js': 'aws-iam-token.ts',
  ioredis: 'redis.ts',
  pg: 'postgres.ts',
  'node:sqlite': 'sqlite.ts',
};

/** Build tooling of the micro-frontends. It ships with none of them, so nothing that ships imports it. */
const buildTooling = /^microfrontends\/(build\.ts$|build\/|[^/]+\/vite\.config\.ts$)/;

/** Returns one sentence for each import that the table does not allow. */
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
  if (aboveTheTable.has(from) || buildTooling.test(path)) return undefined;
  const target = targetOf(path, specifier, workspaces);
  if (target === undefined || folderOf(target) === folderOf(path)) return undefined;
  if (specifier.startsWith('.')) return 'another workspace is imported by its name, not by its path';
  // A test may use the packages' tools, wherever its subject runs.
  const allowed = [...(mayImport[from] ?? []), ...(/\.test\.tsx?$/.test(path) ? ['packages'] : [])];
  if (allowed.includes(zoneOf(target)) || allowed.includes(folderOf(target))) return undefined;
  return `${from} may import ${allowed.length === 0 ? 'nothing else of the repository' : `only ${allowed.join(', ')}`}`;
}

function vendorViolation(path: string, specifier: string): string | undefined {
  const vendor = packageOf(specifier);
  const file = Object.hasOwn(vendorFiles, vendor) ? vendorFiles[vendor] : undefined;
  // A test may look at a backend from outside, with the vendor's own client.
  if (!file || aboveTheTable.has(zoneOf(path)) || path.endsWith('.test.ts')) return undefined;
  return basename(path) === file ? undefined : `only a file named ${file} may`;
}

/** Returns the file or folder of the repository that is imported; undefined for packages of npm and of Node. */
function targetOf(path: string, specifier: string, workspaces: Workspaces): string | undefined {
  return specifier.startsWith('.') ? join(dirname(path), specifier) : workspaces.get(packageOf(specifier));
}

function zoneOf(path: string): string {
  if (folderOf(path) === 'packages/live-client') return 'live-client';
  return path.split('/')[0] ?? '';
}

/** The workspace of a path: `services/orders/src/x.ts` → `services/orders`, `gateway/src/x.ts` → `gateway`. */
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
