import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installMissing } from './requirements.ts';

/** As in kafka-pom.xml. */
export const kafkaVersion = '4.1.0';

/**
 * The folder with the jars of Apache Kafka, fetched by Maven the first time. It is shared by all clones
 * (`TIDEGATE_CACHE`, default `~/.cache/tidegate`) and appears whole or not at all.
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
    // Another process was faster: its jars are the same.
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
  const child = spawn('mvn', ['-q', '-B', '-f', pom, ...goal], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (part: Buffer) => (said += part.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0)
    throw new Error(`Kafka's jars could not be fetched: mvn exited with ${code}\n${said.slice(-2_000)}`);
}
