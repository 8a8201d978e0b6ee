import type { Logger } from '@tidegate/telemetry';
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
  const listening = new Map<string, number>();
  const waiting = new Set<string>();
  let sending = false;

  const remoteName = (channel: string): string => `${schema}:${channel}`;

  session.onConnect(async (client) => {
    client.onNotification((remote, own) => {
      // One of our own has already woken whoever listens here.
      if (!own && remote.startsWith(`${schema}:`)) local.wake(remote.slice(schema.length + 1));
    });
    for (const channel of listening.keys()) await client.query(`listen ${quoted(remoteName(channel))}`);
    // Something may have been notified while nobody was connected.
    for (const channel of listening.keys()) local.wake(channel);
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
    const stopLocal = await local.listen(channel, onSignal);
    const listeners = listening.get(channel) ?? 0;
    listening.set(channel, listeners + 1);
    try {
      const client = await session.client();
      if (listeners === 0) await client.query(`listen ${quoted(remoteName(channel))}`);
    } catch (error) {
      await stop();
      throw error;
    }

    /** The LISTEN stays: a wake-up nobody waits for costs less than a second list of who waits. */
    async function stop(): Promise<void> {
      await stopLocal();
    }
    return stop;
  }

  return { notify: local.notify, listen };
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
