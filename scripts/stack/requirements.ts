import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';

export type Requirement = 'java' | 'maven' | 'redis' | 'postgres' | 'chromium';

interface Program {
  /** Returns the path of the program, or undefined when it is missing. */
  readonly find: () => string | undefined;
  /** Package in Debian. */
  readonly package: string;
  readonly meaning: string;
}

export const programs: Readonly<Record<Requirement, Program>> = {
  java: {
    find: () => onPath('java'),
    package: 'default-jre-headless',
    meaning: 'Java 17 or newer, to run Kafka',
  },
  maven: { find: () => onPath('mvn'), package: 'maven', meaning: "Maven, to fetch Kafka's jars once" },
  redis: { find: () => onPath('redis-server'), package: 'redis-server', meaning: 'redis-server' },
  postgres: {
    find: () => postgresProgram('postgres'),
    package: 'postgresql',
    meaning: 'PostgreSQL 14 or newer',
  },
  chromium: { find: findChromium, package: 'chromium', meaning: 'Chromium, for the browser tests' },
};

export class MissingProgramsError extends Error {}

/**
 * Installs missing programs by apt-get, if this process is root and apt-get exists.
 *
 * @throws MissingProgramsError with the packages to install when it may not install them, or when apt-get failed.
 */
export function installMissing(required: readonly Requirement[], onLine: (line: string) => void): void {
  const missing = findMissing(required);
  if (missing.length === 0) return;
  const packages = missing.map((name) => programs[name].package);
  if (process.getuid?.() !== 0 || onPath('apt-get') === undefined)
    throw new MissingProgramsError(advice(missing));
  onLine(`installing ${packages.join(', ')} by apt-get`);
  apt(['update', '-qq'], missing);
  apt(['install', '-y', '-qq', '--no-install-recommends', ...packages], missing);
  const still = findMissing(missing);
  if (still.length > 0) throw new MissingProgramsError(advice(still));
}

export function findMissing(required: readonly Requirement[]): Requirement[] {
  return required.filter((name) => programs[name].find() === undefined);
}

/** Returns instructions to install the missing programs by hand. */
export function advice(missing: readonly Requirement[]): string {
  return [
    'The stack needs programs that are not installed:',
    ...missing.map((name) => `  ${programs[name].meaning}`),
    `On Debian or Ubuntu: sudo apt-get install ${missing.map((name) => programs[name].package).join(' ')}`,
  ].join('\n');
}

/** Returns a program of the newest Postgres. Debian installs them outside PATH. */
export function postgresProgram(name: string): string | undefined {
  const versions = '/usr/lib/postgresql';
  const found = (existsSync(versions) ? readdirSync(versions) : [])
    .toSorted((a, b) => Number(b) - Number(a))
    .map((version) => join(versions, version, 'bin', name))
    .find(executable);
  return found ?? onPath(name);
}

function findChromium(): string | undefined {
  const given = process.env['CHROMIUM_PATH'];
  if (given) return executable(given) ? given : undefined;
  return onPath('chromium') ?? onPath('chromium-browser') ?? onPath('google-chrome');
}

function onPath(name: string): string | undefined {
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find(executable);
}

function executable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function apt(args: readonly string[], missing: readonly Requirement[]): void {
  const run = spawnSync('apt-get', args, {
    stdio: ['ignore', 'ignore', 'inherit'],
    // RUNLEVEL=1 keeps the packages from starting services of their own on the default ports.
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
  });
  if (run.status !== 0) throw new MissingProgramsError(`apt-get ${args[0]} failed.\n${advice(missing)}`);
}
