import type { Lock } from '../database.ts';
import type { Session, SessionClient } from './session.ts';

/** Names live in the schema: two services may use the same. */
export interface AdvisoryLocks {
  tryLock(name: string): Promise<Lock | undefined>;
}

interface Held {
  readonly lost: AbortController;
}

/** Advisory locks of one session: Postgres frees them when it is gone, and each then tells it is lost. */
export function createAdvisoryLocks(session: Session, schema: string): AdvisoryLocks {
  // Postgres would give a session the same lock twice: within this process the map says who has it.
  const held = new Map<string, Held>();
  session.onGone(() => {
    for (const { lost } of held.values()) lost.abort(new Error('the connection that held the lock is gone'));
    held.clear();
  });

  async function tryLock(name: string): Promise<Lock | undefined> {
    if (held.has(name)) return undefined;
    const entry: Held = { lost: new AbortController() };
    held.set(name, entry);
    try {
      const client = await session.client();
      if (await take(client, `${schema}/${name}`)) {
        entry.lost.signal.throwIfAborted();
        return { lost: entry.lost.signal, release: () => release(name, entry) };
      }
    } catch (error) {
      forget(name, entry);
      throw error;
    }
    forget(name, entry);
    return undefined;
  }

  async function release(name: string, entry: Held): Promise<void> {
    if (held.get(name) !== entry) return;
    const client = await session.client();
    await client.query(`select pg_advisory_unlock(${KEY})`, [`${schema}/${name}`]);
    forget(name, entry);
  }

  function forget(name: string, entry: Held): void {
    if (held.get(name) === entry) held.delete(name);
  }

  return { tryLock };
}

const KEY = 'hashtextextended($1, 0)';

async function take(client: SessionClient, key: string): Promise<boolean> {
  const rows = await client.query<{ taken: boolean }>(`select pg_try_advisory_lock(${KEY}) as taken`, [key]);
  return rows[0]?.taken === true;
}
