import type { Logger } from '@tidegate/runtime/telemetry';
import type { Signals, Tables, UnitOfWork } from '../database.ts';
import { InProcessSignals } from '../in-process-signals.ts';
import type { Session, SessionClient } from './session.ts';

/**
 * Signals over LISTEN/NOTIFY. Listeners of this process are woken directly. NOTIFY is sent after the commit and not
 * inside the transaction, where it would serialise all committing transactions of the server. A crash in between loses
 * the signal; the slow poll of every listener covers this.
 */
export class PostgresSignals implements Signals {
  readonly #session: Session;
  readonly #schema: string;
  readonly #logger: Logger;
  readonly #local = new InProcessSignals((channel) => this.#send(channel));
  readonly #listening = new Set<string>();
  readonly #unsent = new Set<string>();
  #sending = false;

  /** Channel names are prefixed with the schema, so that services do not share them. */
  constructor(session: Session, schema: string, logger: Logger) {
    this.#session = session;
    this.#schema = schema;
    this.#logger = logger;
    session.onConnect((client) => this.#resume(client));
  }

  notify(unit: UnitOfWork<Tables>, channel: string): void {
    this.#local.notify(unit, channel);
  }

  async listen(channel: string, onSignal: () => void): Promise<() => Promise<void>> {
    const client = await this.#session.client();
    // From here on every new connection listens, also one that replaces this client now.
    this.#listening.add(channel);
    await client.query(`listen ${quote(this.#remoteName(channel))}`);
    // No UNLISTEN when the last listener leaves: a wake-up without listeners is cheaper than reference counting.
    return this.#local.listen(channel, onSignal);
  }

  /** Listens on a new connection. */
  async #resume(client: SessionClient): Promise<void> {
    const prefix = this.#remoteName('');
    client.onNotification((remoteName, own) => {
      // A notification of this connection has already woken the listeners of this process.
      if (!own && remoteName.startsWith(prefix)) this.#local.wake(remoteName.slice(prefix.length));
    });
    for (const channel of this.#listening) await client.query(`listen ${quote(this.#remoteName(channel))}`);
    // Notifications may have been missed while there was no connection.
    for (const channel of this.#listening) this.#local.wake(channel);
  }

  /** Sends at most one NOTIFY at a time; signals of one channel that arrive meanwhile are merged. */
  #send(channel: string): void {
    this.#unsent.add(channel);
    if (this.#sending) return;
    this.#sending = true;
    void this.#sendAll().finally(() => {
      this.#sending = false;
    });
  }

  async #sendAll(): Promise<void> {
    for (const channel of this.#unsent) {
      this.#unsent.delete(channel);
      try {
        const client = await this.#session.client();
        await client.query('select pg_notify($1, $2)', [this.#remoteName(channel), '']);
      } catch (error) {
        this.#logger.debug({ err: error, channel }, 'a wake-up for other processes was not sent; they poll');
      }
    }
  }

  #remoteName(channel: string): string {
    return `${this.#schema}:${channel}`;
  }
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
