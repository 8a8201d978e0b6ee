import { createLiveClient, type LiveClient } from '@tidegate/live-client';
import { signal, type ReadonlySignal } from '@preact/signals';
import { nextStatus, type ConnectionStatus } from './connection-status.ts';
import type { Identity } from './identity.ts';

/** One viewer's session on the page: one client with one connection. */
export interface Session {
  readonly identity: Identity;
  readonly client: LiveClient;
  readonly status: ReadonlySignal<ConnectionStatus>;
  close(): void;
}

/** A dead connection is noticed within twice this time. */
const HEARTBEAT_MS = 1_400;
/** Twice the heartbeat of a gateway, and a little more. */
const STREAM_SILENCE_MS = 31_000;

export function startSession(identity: Identity): Session {
  const status = signal<ConnectionStatus>({ at: 'connecting' });
  const client = createLiveClient({
    url: '/graphql/web',
    token: identity.token,
    signedOut: 'wait',
    heartbeatMs: HEARTBEAT_MS,
    streamSilenceMs: STREAM_SILENCE_MS,
    onPhase: (phase, details) => {
      status.value = nextStatus(status.value, phase, details, Date.now());
    },
  });
  return { identity, client, status, close: () => client.close() };
}
