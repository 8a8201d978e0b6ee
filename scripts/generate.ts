/**
 * `npm run generate`: writes each BFF's resolver types from its SDL. The result is committed, so nothing has to be
 * built before a start; `npm run check` runs it with `--check` and fails when SDL and types have drifted apart.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { generate } from '@graphql-codegen/cli';

const contracts = '@order-platform/contracts#';
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

async function typesOf(bff: string): Promise<string> {
  const [file] = (await generate(
    {
      schema: `bffs/${bff}/src/schema.graphql`,
      silent: true,
      generates: {
        [`bffs/${bff}/src/generated/resolver-types.ts`]: {
          plugins: ['typescript', 'typescript-resolvers'],
          config: {
            contextType: '@order-platform/bff-shared#Context',
            mappers: mappers[bff],
            useTypeImports: true,
            enumsAsTypes: true,
            avoidOptionals: { resolvers: false, object: true },
            scalars: { DateTime: 'string', ConsistencyToken: 'string', ID: 'string' },
            resolversNonOptionalTypename: false,
            enumValues: {},
          },
        },
      },
    },
    false,
  )) as { content: string }[];
  return `// Generated from schema.graphql by \`npm run generate\`. Do not edit.\n${file!.content}`;
}

const check = process.argv.includes('--check');
let drifted = false;
for (const bff of Object.keys(mappers)) {
  const path = `bffs/${bff}/src/generated/resolver-types.ts`;
  const wanted = await typesOf(bff);
  const present = await readFile(path, 'utf8').catch(() => '');
  if (wanted === present) continue;
  if (check) {
    console.error(`${path} does not match its schema; run npm run generate.`);
    drifted = true;
  } else {
    await writeFile(path, wanted);
    console.log(`wrote ${path}`);
  }
}
process.exitCode = drifted ? 1 : 0;
