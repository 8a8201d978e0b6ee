/**
 * `npm run generate`: writes the types of each BFF's resolvers from its SDL, the table of limits in
 * `docs/operations.md` from `gateway/src/limits.ts`, and `docs/rights.md` from `bffs/shared/src/rights.ts`. The files are
 * committed, so no build is needed before a start. `npm run check` runs it with `--check`, which fails when a file does
 * not match its source.
 */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { generate } from '@graphql-codegen/cli';
import { limitsPage, withLimitsTable } from './generate/limits-table.ts';
import { renderRightsPage, rightsPage } from './generate/rights-page.ts';

const contracts = '@order-platform/contracts#';

/** The parent type of each GraphQL type, by BFF: the object that its resolvers receive. */
const mappers: Record<string, Record<string, string>> = {
  web: {
    Order: `${contracts}OrderDocument`,
    OrderLine: `${contracts}OrderLine as OrderLineParent`,
    Money: `${contracts}Money as MoneyParent`,
    Payment: './../parents.ts#PaymentParent',
    Shipment: './../parents.ts#ShipmentParent',
    Product: `${contracts}ProductDocument`,
    Stock: `${contracts}ProductDocument`,
    Viewer: '@tidegate/bff#Viewer as ViewerParent',
    CommandAccepted: './../command-result.ts#Accepted',
    CommandRejected: './../command-result.ts#Rejected',
  },
  mobile: {
    OrderCard: `${contracts}OrderDocument`,
    OrderScreen: `${contracts}OrderDocument`,
    Offer: `${contracts}ProductDocument`,
  },
};

const header = '// Generated from schema/ by `npm run generate`. Do not edit.\n';

/**
 * Returns the content of each generated file by its name: `schema-types.ts` has the types of the SDL,
 * `resolver-types.ts` the resolvers of each type, `resolver-signatures.ts` the generic function types they share.
 */
async function generatedFiles(bff: string): Promise<ReadonlyMap<string, string>> {
  const [types, resolvers] = (await generate(
    {
      schema: `bffs/${bff}/src/schema/*.graphql`,
      silent: true,
      config: {
        useTypeImports: true,
        enumsAsTypes: true,
        disableDescriptions: true,
        skipTypename: true,
        avoidOptionals: { resolvers: false, object: true },
        scalars: { DateTime: 'string', ConsistencyToken: 'string', ID: 'string' },
      },
      generates: {
        'schema-types.ts': { plugins: ['typescript'] },
        [`bffs/${bff}/src/generated/resolver-types.ts`]: {
          plugins: ['typescript-resolvers'],
          config: {
            contextType: '@order-platform/bff-shared#Context',
            mappers: mappers[bff],
            namespacedImportName: 'Types',
          },
        },
      },
    },
    false,
  )) as { content: string }[];
  const { signatures, resolverTypes } = splitResolvers(resolvers!.content);
  return new Map([
    ['schema-types.ts', header + types!.content],
    ['resolver-signatures.ts', header + signatures],
    ['resolver-types.ts', header + resolverTypes],
  ]);
}

/** Separates the generic function types, which come before the first mapping, from the types of this schema. */
function splitResolvers(content: string): { signatures: string; resolverTypes: string } {
  const [imports] = /^(?:import .*\n)*/.exec(content)!;
  const firstMapping = content.search(/^\/\*\* Mapping /m);
  const signatures = content.slice(imports.length, firstMapping).trim();
  const resolverTypes = content.slice(firstMapping).trim();
  const declared = [...signatures.matchAll(/^export (?:type|interface) (\w+)/gm)].map(([, name]) => name!);
  const imported = declared.filter((name) => new RegExp(`\\b${name}<`).test(resolverTypes));
  const types = `import type * as Types from './schema-types.ts';\n`;
  const own = `import type { ${imported.join(', ')} } from './resolver-signatures.ts';\n`;
  return {
    signatures: `${usedImports(imports, signatures)}${types}\n${signatures}\n`,
    resolverTypes: `${usedImports(imports, resolverTypes)}${types}${own}\n${resolverTypes}\n`,
  };
}

/** Keeps the import lines of which the code uses a name. */
function usedImports(imports: string, code: string): string {
  const lines = imports.split('\n').filter((line) => {
    const names = [...line.replace(/ from .*/, '').matchAll(/(\w+)(?=,| })/g)].map(([, name]) => name!);
    return names.some((name) => new RegExp(`\\b${name}\\b`).test(code));
  });
  return lines.map((line) => `${line}\n`).join('');
}

/** Writes a file, or deletes it when `content` is undefined. Returns true when the file had to change. */
async function update(path: string, content: string | undefined, check: boolean): Promise<boolean> {
  if (content === (await readFile(path, 'utf8').catch(() => undefined))) return false;
  if (!check) await (content === undefined ? rm(path) : writeFile(path, content));
  return true;
}

/** Returns the content that each generated file must have; undefined for a file that must not exist. */
async function wantedFiles(): Promise<ReadonlyMap<string, string | undefined>> {
  const wanted = new Map<string, string | undefined>();
  for (const bff of Object.keys(mappers)) {
    const folder = `bffs/${bff}/src/generated`;
    await mkdir(folder, { recursive: true });
    for (const name of await readdir(folder)) wanted.set(`${folder}/${name}`, undefined);
    for (const [name, content] of await generatedFiles(bff)) wanted.set(`${folder}/${name}`, content);
  }
  wanted.set(rightsPage, renderRightsPage());
  return wanted.set(limitsPage, withLimitsTable(await readFile(limitsPage, 'utf8')));
}

const check = process.argv.includes('--check');
for (const [path, content] of await wantedFiles()) {
  if (!(await update(path, content, check))) continue;
  if (check) {
    console.error(`${path} does not match its source; run npm run generate.`);
    process.exitCode = 1;
  } else {
    console.log(`updated ${path}`);
  }
}
