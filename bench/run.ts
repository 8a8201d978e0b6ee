/** `npm run bench -- NAME`: runs one measurement, prints its figures and writes them to `bench/results/NAME.json`. */
import { readdirSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';

/** Default export of each `bench/NAME.bench.ts`. */
export interface Measurement {
  /** One line for `--help`. */
  readonly description: string;
  /** Resolves with the figures by dotted name. `log` reports progress. */
  readonly measure: (log: (line: string) => void) => Promise<Record<string, number>>;
}

const here = new URL('./', import.meta.url);
const names = readdirSync(here)
  .filter((file) => file.endsWith('.bench.ts'))
  .map((file) => file.replace('.bench.ts', ''))
  .sort();

async function load(name: string): Promise<Measurement> {
  return ((await import(new URL(`${name}.bench.ts`, here).href)) as { default: Measurement }).default;
}

async function printHelp(): Promise<void> {
  console.log('Usage: npm run bench -- NAME\n');
  for (const name of names) console.log(`  ${name.padEnd(12)} ${(await load(name)).description}`);
}

const [name] = process.argv.slice(2);
if (name === undefined || name === '--help') {
  await printHelp();
} else if (!names.includes(name)) {
  console.error(`There is no measurement "${name}"; there are: ${names.join(', ')}.`);
  process.exitCode = 2;
} else {
  const { measure } = await load(name);
  const figures = await measure((line) => console.error(line));
  const rounded = Object.fromEntries(
    Object.entries(figures).map(([key, value]) => [key, Number(value.toPrecision(4))]),
  );
  console.table(rounded);
  const result = {
    name,
    at: new Date().toISOString(),
    node: process.version,
    cpus: cpus().length,
    figures: rounded,
  };
  await mkdir(new URL('results/', here), { recursive: true });
  await writeFile(new URL(`results/${name}.json`, here), `${JSON.stringify(result, null, 2)}\n`);
}
