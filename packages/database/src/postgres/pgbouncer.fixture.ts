import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { freePort, temporaryDirectory, until } from '@tidegate/testing';

export interface PgBouncer extends AsyncDisposable {
  /** Connection string of the pooler, in front of the given database. */
  readonly url: string;
}

export const hasPgBouncer = spawnSync('pgbouncer', ['--version']).status === 0;

/**
 * Starts PgBouncer in transaction mode on a free port.
 *
 * @param ignoredParameters start-up parameters that it drops instead of refusing the connection.
 */
export async function startPgBouncer(url: string, ignoredParameters: readonly string[]): Promise<PgBouncer> {
  const directory = await temporaryDirectory();
  const port = await freePort();
  const { hostname, port: serverPort, username, password, pathname } = new URL(url);
  const database = pathname.slice(1);
  const file = join(directory.path, 'pgbouncer.ini');
  const lines = [
    '[databases]',
    `${database} = host=${hostname} port=${serverPort} user=${username} password=${password}`,
    '[pgbouncer]',
    'listen_addr = 127.0.0.1',
    `listen_port = ${port}`,
    'unix_socket_dir =',
    'auth_type = any',
    'pool_mode = transaction',
    `ignore_startup_parameters = ${ignoredParameters.join(',')}`,
  ];
  await writeFile(file, `${lines.join('\n')}\n`);
  // PgBouncer refuses to run as root, and the other user has to read the file.
  await chmod(directory.path, 0o755);
  const asOther = process.getuid?.() === 0 ? ['-u', 'nobody'] : [];
  const child = spawn('pgbouncer', ['-q', ...asOther, file], { stdio: 'ignore' });
  const pooled = `postgres://${username}:${password}@127.0.0.1:${port}/${database}`;
  await until(() => accepts(port), { what: 'PgBouncer', timeoutMs: 10_000 });
  return {
    url: pooled,
    async [Symbol.asyncDispose]() {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
      await directory[Symbol.asyncDispose]();
    },
  };
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });
}
