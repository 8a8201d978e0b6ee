import type { Logger } from '@tidegate/runtime/telemetry';
import type { Signals } from '../database.ts';
import { createInProcessSignals } from '../in-process-signals.ts';
import type { Session } from './session.ts';

/**
 * In-process wake-ups at once, LISTEN/NOTIFY for other processes. NOTIFY is sent after the commit and not inside it:
 * there it would make all committing transactions of the server take turns. What is lost by a crash in between is
 * what the slow poll of every listener is for.
 */
export function createPostgresSignals(session: Session, schema: string, logger: Logger): Signals {
  const local = createInProcessSignals((channel) => send(channel));
  const listening = new Set<string>();
  const waiting = new Set<string>();
  let sending = false;

  const remoteName = (channel: string): string => `${schema}:${channel}`;

  session.onConnect(async (client) => {
    client.onNotification((remote, own) => {
      // One of our own has already woken whoever listens here.
      if (!own && remote.startsWith(`${schema}:`)) local.wake(remote.slice(schema.length + 1));
    });
    for (const channel of listening) await client.query(`listen ${quoted(remoteName(channel))}`);
    // Something may have been notified while nobody was connected.
    for (const channel of listening) local.wake(channel);
  });

  /** At most one NOTIFY under way; what comes meanwhile goes out as one. */
  function send(channel: string): void {
    waiting.add(channel);
    if (sending) return;
    sending = true;
    void sendWaiting().finally(() => {
      sending = false;
    });
  }

  async function sendWaiting(): Promise<void> {
    for (const channel of waiting) {
      waiting.delete(channel);
      try {
        const client = await session.client();
        await client.query('select pg_notify($1, $2)', [remoteName(channel), '']);
      } catch (error) {
        logger.debug({ err: error, channel }, 'a wake-up for other processes was not sent; they poll');
      }
    }
  }

  async function listen(channel: string, onSignal: () => void): Promise<() => Promise<void>> {
    const client = await session.client();
    // From here on every new connection listens, also one that replaces this client now.
    listening.add(channel);
    await client.query(`listen ${quoted(remoteName(channel))}`);
    // The LISTEN outlives the listener: a wake-up for nobody costs less than keeping account of who is left.
    return local.listen(channel, onSignal);
  }

  return { notify: (unit, channel) => local.notify(unit, channel), listen };
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
