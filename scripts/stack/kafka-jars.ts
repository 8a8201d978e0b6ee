import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installMissing } from './requirements.ts';
import { runProgram } from './run-program.ts';

/** Equals the version in kafka-pom.xml. */
export const kafkaVersion = '4.1.0';

/**
 * Returns the folder with the jars of Apache Kafka. Maven fetches them the first time. All clones share the folder
 * (`TIDEGATE_CACHE`, default `~/.cache/tidegate`); it appears complete or not at all.
 */
export async function kafkaJars(onLine: (line: string) => void): Promise<string> {
  const cache = process.env['TIDEGATE_CACHE'] ?? join(homedir(), '.cache', 'tidegate');
  const folder = join(cache, `kafka-${kafkaVersion}`);
  const libs = join(folder, 'libs');
  if (existsSync(libs)) return libs;
  installMissing(['maven'], onLine);
  onLine(`fetching the jars of Apache Kafka ${kafkaVersion} by Maven into ${libs}`);
  await mkdir(folder, { recursive: true });
  const unfinished = await mkdtemp(join(folder, 'unfinished-'));
  try {
    await copyDependencies(unfinished);
    await rename(unfinished, libs);
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    // Another process has fetched the same jars meanwhile.
    if (!existsSync(libs)) throw error;
  }
  return libs;
}

async function copyDependencies(outputDirectory: string): Promise<void> {
  const pom = fileURLToPath(new URL('./kafka-pom.xml', import.meta.url));
  const goal = [
    'dependency:copy-dependencies',
    '-DincludeScope=runtime',
    `-DoutputDirectory=${outputDirectory}`,
  ];
  const { code, output } = await runProgram('mvn', ['-q', '-B', '-f', pom, ...goal]);
  if (code !== 0)
    throw new Error(`Kafka's jars could not be fetched: mvn exited with ${code}\n${output.slice(-2_000)}`);
}
