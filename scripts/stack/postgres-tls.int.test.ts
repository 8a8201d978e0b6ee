/** A server that takes connections by TLS alone, reached by the URL's own parameters. */
import { chownSync, copyFileSync, chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createPostgresDatabase } from '@tidegate/database/postgres';
import {
  freePort,
  postgresUrlFromEnv,
  temporaryDirectory,
  until,
  type TemporaryDirectory,
} from '@tidegate/testing';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Backend } from './backend.ts';
import { kafkaSecurity } from './kafka-security.ts';
import { createPostgresBackend, postgresUrl } from './postgres.ts';
import { stopStack, untilReady } from './stack.ts';

const hasPostgres = postgresUrlFromEnv() !== undefined;
if (!hasPostgres) console.warn('SKIPPED: Postgres by TLS; DATABASE_URL is not set');

describe.skipIf(!hasPostgres)('Postgres that wants TLS', () => {
  const schema = 'tls';
  let directory: TemporaryDirectory;
  let backend: Backend;
  let plainUrl: string;
  let caFile: string;

  beforeAll(async () => {
    directory = await temporaryDirectory();
    const port = await freePort();
    backend = createPostgresBackend(directory.path, port);
    await backend.start();
    await untilReady(backend);
    plainUrl = postgresUrl(port);
    const security = await kafkaSecurity(directory.path);
    caFile = security.caFile;
    await wantTls(security.keystoreFile);
  });

  afterAll(async () => {
    await stopStack(directory.path, { discard: true });
  });

  /** @param keystoreFile PEM file with the private key and the certificate of 127.0.0.1. */
  async function wantTls(keystoreFile: string): Promise<void> {
    const { dataFolder } = backend;
    const keys = join(dataFolder, 'server.pem');
    copyFileSync(keystoreFile, keys);
    chmodSync(keys, 0o600);
    const { uid, gid } = statSync(dataFolder);
    chownSync(keys, uid, gid);
    const rules = join(dataFolder, 'pg_hba.conf');
    writeFileSync(rules, readFileSync(rules, 'utf8').replaceAll(/^host\b/gm, 'hostssl'));
    const admin = new pg.Client(plainUrl);
    await admin.connect();
    for (const setting of ["ssl_cert_file = 'server.pem'", "ssl_key_file = 'server.pem'", 'ssl = on'])
      await admin.query(`alter system set ${setting}`);
    await admin.query('select pg_reload_conf()');
    await admin.end();
    const isRefused = async (): Promise<boolean> => {
      const client = new pg.Client(plainUrl);
      const refused = await client.connect().then(
        () => false,
        () => true,
      );
      await client.end().catch(() => {});
      return refused;
    };
    await until(isRefused, { what: 'the server to refuse plain connections', timeoutMs: 10_000 });
  }

  const urlWith = (parameters: Record<string, string>): string =>
    `${plainUrl}?${new URLSearchParams(parameters).toString()}`;

  it('is reached by `sslmode` and `sslrootcert`, by every connection', async () => {
    const url = urlWith({ sslmode: 'verify-full', sslrootcert: caFile });
    const database = createPostgresDatabase({ url, schema });
    const admin = new pg.Client(url);
    try {
      await database.migrate({});
      const lock = await database.tryLock('a lock of the session');
      expect(lock).toBeDefined();
      await admin.connect();
      const { rows } = await admin.query<{ ssl: boolean }>(
        `select ssl from pg_stat_ssl join pg_stat_activity using (pid) where application_name = $1`,
        [`tidegate ${schema}`],
      );
      expect(rows.length).toBeGreaterThan(1);
      expect(rows.filter(({ ssl }) => !ssl)).toEqual([]);
    } finally {
      await admin.end();
      await database.close();
    }
  });

  it.each([
    ['without TLS', {}, /encryption/],
    ['without the authority that signed its certificate', { sslmode: 'verify-full' }, /certificate/],
  ])('is not reached %s, and the reason is told', async (_, parameters, reason) => {
    const database = createPostgresDatabase({ url: urlWith(parameters), schema });
    try {
      await expect(database.migrate({})).rejects.toThrow(reason);
    } finally {
      await database.close();
    }
  });
});
