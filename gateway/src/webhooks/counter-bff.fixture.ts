import { defineLiveField, defineLiveStream, requireRole, type Bff, type LiveScope } from '@tidegate/bff';
import { TidegateError } from '@tidegate/core';
import { silentLogger } from '@tidegate/runtime/telemetry';
import { AlarmRaised, CounterDocumentChanged, type CounterDocument } from '@tidegate/testing/sample-messages';
import type { TokenVerifier } from '../auth/token-verifier.ts';
import { BffServer } from '../graphql/bff-server.ts';

/** Stands in for the service that the resolver of `Counter.label` calls. Tests set `failure` to take it down. */
export class LabelService {
  failure: TidegateError | undefined;
  /** Number of calls, failed ones included. */
  calls = 0;

  async label(): Promise<string> {
    this.calls++;
    if (this.failure) throw this.failure;
    return 'a counter';
  }
}

/** Subscription document that selects every change of every counter. */
export const allCounters = 'subscription { counters { counterId count status } }';

const counterStream = defineLiveStream<CounterDocument>({
  name: 'counters',
  definition: CounterDocumentChanged,
  terms: ({ counterId, ownerId }) => ['all', `id:${counterId}`, `owner:${ownerId}`],
});

const alarmStream = defineLiveStream<{ counterId: string }>({
  name: 'alarms',
  definition: AlarmRaised,
  terms: ({ counterId }) => [`id:${counterId}`],
});

/** Lets every viewer with a token see every counter, or those of the owners in its claim `owners`. */
function authorise(viewer: Parameters<typeof requireRole>[0]): LiveScope {
  requireRole(viewer, 'member', 'operator', 'partner');
  const owners = viewer.claims?.['owners'] as string[] | undefined;
  return {
    id: `partner ${owners?.join(' ') ?? 'all'}`,
    viewer: { role: 'partner', id: '' },
    sees: (data) => owners?.includes((data as CounterDocument).ownerId) ?? true,
  };
}

export function createCounterBff(labels = new LabelService()): Bff {
  return {
    name: 'web',
    typeDefs: `
      enum Status { OPEN FULL CLOSED }
      type Counter { counterId: ID! count: Int! status: Status! ownerId: ID! label: String }
      type Query { nothing: String }
      type Subscription {
        counter(id: ID!): Counter!
        counters(status: [Status!], owner: ID): Counter!
        nextAlarm(id: ID!): ID!
      }
    `,
    resolvers: { Counter: { label: () => labels.label() } },
    liveFields: {
      counter: defineLiveField<{ id: string }, CounterDocument, unknown>({
        stream: counterStream,
        authorise,
        term: ({ id }) => `id:${id}`,
        overflow: 'latest-per-key',
      }),
      counters: defineLiveField<{ status?: string[]; owner?: string }, CounterDocument, unknown>({
        stream: counterStream,
        authorise,
        term: ({ owner }) => (owner ? `owner:${owner}` : 'all'),
        matches: (data, { status }) => !status || status.includes(data.status),
        overflow: 'close',
      }),
      nextAlarm: defineLiveField<{ id: string }, { counterId: string }, unknown>({
        stream: alarmStream,
        authorise,
        term: ({ id }) => `id:${id}`,
        once: true,
        overflow: 'close',
      }),
    },
  };
}

const unreachable = {
  call: () => Promise.reject(new TidegateError('UNAVAILABLE', 'This fixture has no services.')),
};

/** Serves a BFF named `web` with counters of the sample domain. */
export function createCounterServer(labels = new LabelService()): BffServer {
  return new BffServer({
    bff: createCounterBff(labels),
    client: unreachable as never,
    state: undefined as never,
    logger: silentLogger,
    trustedOnly: true,
  });
}

/**
 * Accepts `Bearer <role>-<id>` as a token of that viewer, and `Bearer <role>-<id>+<owner>` as one that grants an owner's
 * counters. Any other token is anonymous.
 */
export const fixtureVerifier: TokenVerifier = {
  verify: async (authorization) => {
    const match = /^Bearer (partner|member|operator)-(\w+)(?:\+([\w-]+))?$/.exec(authorization ?? '');
    if (!match) return { role: 'anonymous', id: '' };
    const viewer = { role: match[1]!, id: match[2]!, issuedAtMs: Date.now() };
    return match[3] === undefined ? viewer : { ...viewer, claims: { owners: [match[3]] } };
  },
};

/** Keys that the secrets of endpoints are encrypted with. */
export const fixtureKeys: readonly string[] = ['a key for tests, at least 32 characters'];
