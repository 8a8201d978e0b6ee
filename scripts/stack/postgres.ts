import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { Backend } from './backend.ts';
import { startDaemon } from './daemon.ts';
import { postgresProgram } from './requirements.ts';
import { runProgram } from './run-program.ts';

const USER = 'tidegate';
const PASSWORD = 'tidegate';

type User = { uid: number; gid: number };

/** Creates a Postgres on loopback with a user and a database `tidegate`. Durable: fsync stays on. */
export function createPostgresBackend(directory: string, port: number): Backend {
  return new PostgresBackend(directory, port);
}

class PostgresBackend implements Backend {
  readonly name = 'Postgres';
  /** Postgres's "fast" shutdown, which does not wait for clients to disconnect. */
  readonly stopSignal = 'SIGINT';
  readonly pidFile: string;
  readonly logFile: string;
  readonly dataFolder: string;
  readonly #port: number;
  readonly #user: User | undefined;

  constructor(directory: string, port: number) {
    this.#port = port;
    this.#user = unprivilegedUser();
    this.pidFile = join(directory, 'postgres.pid');
    this.logFile = join(directory, 'postgres.log');
    this.dataFolder = this.#user ? folderForOtherUser(directory) : join(directory, 'postgres');
  }

  async start(): Promise<void> {
    const { dataFolder, pidFile, logFile } = this;
    if (!existsSync(join(dataFolder, 'PG_VERSION'))) await initialise(dataFolder, this.#user);
    const settings = [
      `port=${this.#port}`,
      'listen_addresses=127.0.0.1',
      // TCP only: the default folder of sockets need not exist or be writable.
      'unix_socket_directories=',
      // One pool per process of the production shape, and tests beside them.
      'max_connections=200',
    ];
    startDaemon({
      name: 'Postgres',
      command: program('postgres'),
      args: ['-D', dataFolder, ...settings.flatMap((setting) => ['-c', setting])],
      cwd: dataFolder,
      pidFile,
      logFile,
      user: this.#user,
    });
  }

  /** Creates the database `tidegate` if it is missing. */
  async ping(): Promise<string> {
    await withClient(postgresUrl(this.#port, 'postgres'), async (client) => {
      const { rowCount } = await client.query('select from pg_database where datname = $1', ['tidegate']);
      if (rowCount === 0) await client.query('create database tidegate');
    });
    return postgresVersion(postgresUrl(this.#port));
  }
}

export function postgresUrl(port: number, database = 'tidegate'): string {
  return `postgres://${USER}:${PASSWORD}@127.0.0.1:${port}/${database}`;
}

/** Queries the server's version. Rejects without an answer within two seconds. */
export async function postgresVersion(url: string): Promise<string> {
  return withClient(url, async (client) => {
    const { rows } = await client.query<{ server_version: string }>('show server_version');
    return rows[0]?.server_version.split(' ')[0] ?? 'unknown';
  });
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
  // The new folder holds no data that a crash could lose: initdb need not sync. The server itself does.
  const options = { cwd: dataFolder, ...user };
  const { code, output } = await runProgram(program('initdb'), [...args, '--locale=C', '--no-sync'], options);
  if (code !== 0) throw new Error(`Postgres: initdb failed\n${output}`);
}

/** Returns a user for Postgres when this process is root: Postgres refuses to run as root. */
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

/** The other user may have no access to the repository. /var/tmp survives a reboot. */
function folderForOtherUser(directory: string): string {
  return join(
    '/var/tmp',
    `tidegate-postgres-${createHash('sha256').update(directory).digest('hex').slice(0, 12)}`,
  );
}

function program(name: string): string {
  return postgresProgram(name) ?? name;
}
