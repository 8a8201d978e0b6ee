import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { Backend } from './backend.ts';
import { startDaemon } from './daemon.ts';
import { postgresProgram } from './requirements.ts';

const USER = 'tidegate';
const PASSWORD = 'tidegate';

type User = { uid: number; gid: number };

/** Postgres on loopback, with a user and a database `tidegate`. Durable: fsync stays on. */
export function createPostgresBackend(directory: string, port: number): Backend {
  const user = unprivilegedUser();
  const dataFolder = user ? folderForOtherUser(directory) : join(directory, 'postgres');
  const pidFile = join(directory, 'postgres.pid');
  const logFile = join(directory, 'postgres.log');

  async function start(): Promise<void> {
    if (!existsSync(join(dataFolder, 'PG_VERSION'))) await initialise(dataFolder, user);
    const settings = [
      `port=${port}`,
      'listen_addresses=127.0.0.1',
      // TCP only: the default folder of sockets need not exist or be writable.
      'unix_socket_directories=',
      // One pool a process of the production shape, and tests beside them.
      'max_connections=200',
    ];
    startDaemon({
      name: 'Postgres',
      command: program('postgres'),
      args: ['-D', dataFolder, ...settings.flatMap((setting) => ['-c', setting])],
      cwd: dataFolder,
      pidFile,
      logFile,
      user,
    });
  }

  // SIGINT is Postgres's "fast" shutdown: it does not wait for clients to leave.
  return {
    name: 'Postgres',
    pidFile,
    logFile,
    dataFolder,
    stopSignal: 'SIGINT',
    start,
    ping: () => ping(port),
  };
}

export function postgresUrl(port: number, database = 'tidegate'): string {
  return `postgres://${USER}:${PASSWORD}@127.0.0.1:${port}/${database}`;
}

/** Asks the server itself; rejects when it does not answer within two seconds. */
export async function postgresVersion(url: string): Promise<string> {
  return withClient(url, async (client) => {
    const { rows } = await client.query<{ server_version: string }>('show server_version');
    return rows[0]?.server_version.split(' ')[0] ?? 'unknown';
  });
}

async function ping(port: number): Promise<string> {
  await withClient(postgresUrl(port, 'postgres'), async (client) => {
    const { rowCount } = await client.query('select from pg_database where datname = $1', ['tidegate']);
    if (rowCount === 0) await client.query('create database tidegate');
  });
  return postgresVersion(postgresUrl(port));
}

async function withClient<T>(url: string, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  client.on('error', () => {});
  try {
    await client.connect();
    return await use(client);
  } finally {
    await client.end().catch(() => {});
  }
}

async function initialise(dataFolder: string, user: User | undefined): Promise<void> {
  await rm(dataFolder, { recursive: true, force: true });
  await mkdir(dataFolder, { recursive: true, mode: 0o700 });
  const passwordFolder = await mkdtemp(join(tmpdir(), 'tidegate-initdb-'));
  const passwordFile = join(passwordFolder, 'password');
  await writeFile(passwordFile, PASSWORD, { mode: 0o600 });
  if (user) {
    for (const path of [dataFolder, passwordFolder, passwordFile]) await chown(path, user.uid, user.gid);
  }
  try {
    await initdb(dataFolder, passwordFile, user);
  } catch (error) {
    await rm(dataFolder, { recursive: true, force: true });
    throw error;
  } finally {
    await rm(passwordFolder, { recursive: true, force: true });
  }
}

async function initdb(dataFolder: string, passwordFile: string, user: User | undefined): Promise<void> {
  const args = [
    '-D',
    dataFolder,
    '-U',
    USER,
    '--auth=scram-sha-256',
    `--pwfile=${passwordFile}`,
    '-E',
    'UTF8',
  ];
  // Nothing of worth is in the folder yet: initdb need not wait for the disk, the server itself does.
  const child = spawn(program('initdb'), [...args, '--locale=C', '--no-sync'], { cwd: dataFolder, ...user });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (part: Buffer) => (said += part.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`Postgres: initdb failed\n${said}`);
}

/** Postgres refuses to run as root; Debian's package has made a user for it. */
function unprivilegedUser(): User | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ['postgres', 'nobody']) {
    const entry = readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .map((line) => line.split(':'))
      .find((fields) => fields[0] === name);
    if (entry) return { uid: Number(entry[2]), gid: Number(entry[3]) };
  }
  throw new Error('Postgres refuses to run as root, and there is no user postgres to run it as');
}

/** That user may not be allowed to walk down to the repository; /var/tmp survives a restart of the machine. */
function folderForOtherUser(directory: string): string {
  return join(
    '/var/tmp',
    `tidegate-postgres-${createHash('sha256').update(directory).digest('hex').slice(0, 12)}`,
  );
}

function program(name: string): string {
  return postgresProgram(name) ?? name;
}
