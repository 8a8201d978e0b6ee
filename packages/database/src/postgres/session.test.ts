import { silentLogger } from '@tidegate/runtime/telemetry';
import { until } from '@tidegate/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { Session, type SessionClient } from './session.ts';

/** A connection that the test ends. */
class TestedClient implements SessionClient {
  isOpen = true;
  readonly #listeners: (() => void)[] = [];

  query = async (): Promise<never[]> => [];
  onNotification = (): void => undefined;

  onEnd(listener: () => void): void {
    this.#listeners.push(listener);
  }

  async end(): Promise<void> {
    if (!this.isOpen) return;
    this.isOpen = false;
    for (const listener of this.#listeners) listener();
  }
}

describe('the connection for locks and signals', () => {
  const clients: TestedClient[] = [];
  let session: Session;
  const openClients = (): number => clients.filter(({ isOpen }) => isOpen).length;

  function create(): Session {
    clients.length = 0;
    const connect = async (): Promise<SessionClient> => {
      const client = new TestedClient();
      clients.push(client);
      return client;
    };
    return (session = new Session({ connect, logger: silentLogger }));
  }
  afterEach(() => session.close());

  it('is closed when a connect listener fails, and opened again once it succeeds', async () => {
    create();
    let failures = 3;
    session.onConnect(async () => {
      if (failures-- > 0) throw new Error('LISTEN was refused');
    });
    await expect(session.client()).rejects.toThrow('LISTEN was refused');
    expect(openClients()).toBe(0);
    await until(() => openClients() === 1, { what: 'the connection' });
    expect(clients).toHaveLength(4);
    expect(await session.client()).toBe(clients[3]);
  });

  it('reconnects once when it ends, also after an earlier reconnection', async () => {
    create();
    await session.client();
    for (const count of [2, 3]) {
      await clients.at(-1)!.end();
      await until(() => openClients() === 1, { what: 'the next connection' });
      expect(clients).toHaveLength(count);
    }
  });
});
