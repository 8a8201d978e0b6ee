import { createLiveClient, type LiveClient, type Phase, type PhaseDetails } from '@tidegate/live-client';
import { signal, type ReadonlySignal } from '@preact/signals';
import type { Identity } from './identity.ts';

/** One viewer's session on the page: one client with one connection. */
export interface Session {
  readonly identity: Identity;
  readonly client: LiveClient;
  readonly phase: ReadonlySignal<Phase>;
  readonly details: ReadonlySignal<PhaseDetails>;
  close(): void;
}

export function startSession(identity: Identity): Session {
  const phase = signal<Phase>('connecting');
  const details = signal<PhaseDetails>({});
  const client = createLiveClient({
    url: '/graphql/web',
    token: identity.token,
    onPhase: (next, about) => {
      phase.value = next;
      details.value = about;
    },
  });
  return { identity, client, phase, details, close: () => client.close() };
}
