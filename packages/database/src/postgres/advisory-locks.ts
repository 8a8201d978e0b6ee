import type { Lock } from '../database.ts';
import type { Session } from './session.ts';

/** SQL of a lock's 64-bit key, computed from its name. */
const KEY = 'hashtextextended($1, 0)';

/** Advisory locks of one session. Postgres releases them when the session ends; each then aborts its `lost` signal. */
export class AdvisoryLocks {
  readonly #session: Session;
  readonly #schema: string;
  /** Locks of this process. Postgres itself would grant a session the same lock twice. */
  readonly #held = new Map<string, AbortController>();

  /** Lock names are prefixed with the schema, so that services do not share them. */
  constructor(session: Session, schema: string) {
    this.#session = session;
    this.#schema = schema;
    session.onEnd(() => {
      for (const lost of this.#held.values()) {
        lost.abort(new Error('the connection that held the lock is gone'));
      }
      this.#held.clear();
    });
  }

  async tryLock(name: string): Promise<Lock | undefined> {
    if (this.#held.has(name)) return undefined;
    const lost = new AbortController();
    this.#held.set(name, lost);
    try {
      if (await this.#acquire(name)) {
        lost.signal.throwIfAborted();
        return { lost: lost.signal, release: () => this.#release(name, lost) };
      }
    } catch (error) {
      this.#forget(name, lost);
      throw error;
    }
    this.#forget(name, lost);
    return undefined;
  }

  async #acquire(name: string): Promise<boolean> {
    const client = await this.#session.client();
    const query = `select pg_try_advisory_lock(${KEY}) as acquired`;
    const rows = await client.query<{ acquired: boolean }>(query, [`${this.#schema}/${name}`]);
    return rows[0]?.acquired === true;
  }

  async #release(name: string, lost: AbortController): Promise<void> {
    if (this.#held.get(name) !== lost) return;
    const client = await this.#session.client();
    await client.query(`select pg_advisory_unlock(${KEY})`, [`${this.#schema}/${name}`]);
    this.#forget(name, lost);
  }

  #forget(name: string, lost: AbortController): void {
    if (this.#held.get(name) === lost) this.#held.delete(name);
  }
}
