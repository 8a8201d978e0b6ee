import { RESUME_WINDOW_MS } from '@tidegate/core';
import { integer } from '@tidegate/runtime/config';
import { halfOfOpenFiles } from './admission/open-files.ts';
import { jwtRules } from './auth/jwt-rules.ts';
import { operationLimits } from './graphql/operation-limits.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;
const MINUTE_MS = 60 * 1000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const MANY = 10_000_000;

export interface Limit {
  /** Environment variable that sets it. */
  readonly variable: string;
  readonly unit: 'bytes' | 'milliseconds' | 'count';
  readonly default: number | { readonly meaning: string; readonly of: () => number };
  /** Smallest and largest value of the environment variable. */
  readonly range: readonly [min: number, max: number];
  /** One sentence for the operator. */
  readonly meaning: string;
}

/**
 * Every limit of a gateway, each for one process. The environment variables of a process, the defaults of
 * `createGateway` and the table in `docs/operations.md` are derived from it.
 */
export const gatewayLimits = {
  resumeWindowMs: {
    variable: 'RESUME_WINDOW_MS',
    unit: 'milliseconds',
    default: RESUME_WINDOW_MS,
    range: [0, 365 * DAY_MS],
    meaning: 'maximum age of a cursor; the topics of live fields have to keep records for as long',
  },
  maxSocketsPerAddress: {
    variable: 'MAX_SOCKETS_PER_ADDRESS',
    unit: 'count',
    default: { meaning: 'half of the open files', of: halfOfOpenFiles },
    range: [1, MANY],
    meaning: 'open sockets of one address, counted before the first byte; trusted proxies are not counted',
  },
  maxConnectionsPerAddress: {
    variable: 'MAX_CONNECTIONS_PER_ADDRESS',
    unit: 'count',
    default: 20_000,
    range: [1, MANY],
    meaning: 'WebSockets and event streams of one address (IPv6: of one /64)',
  },
  maxConnectionsPerViewer: {
    variable: 'MAX_CONNECTIONS_PER_VIEWER',
    unit: 'count',
    default: 1_000,
    range: [1, MANY],
    meaning: 'WebSockets and event streams of one viewer',
  },
  maxSubscriptionsPerViewer: {
    variable: 'MAX_SUBSCRIPTIONS_PER_VIEWER',
    unit: 'count',
    default: 10_000,
    range: [1, MANY],
    meaning: 'running subscriptions of one viewer, over all its connections',
  },
  maxSubscriptionsPerConnection: {
    variable: 'MAX_SUBSCRIPTIONS_PER_CONNECTION',
    unit: 'count',
    default: 100,
    range: [1, MANY],
    meaning: 'running subscriptions of one connection',
  },
  maxOperationBytesPerConnection: {
    variable: 'MAX_OPERATION_BYTES_PER_CONNECTION',
    unit: 'bytes',
    // A hundred subscriptions with a document of 100 tokens each take 5 MB when no two documents are the same.
    default: 8 * MIB,
    range: [KIB, GIB],
    meaning: 'documents, variables and ids that the running operations of one connection hold',
  },
  maxOperationBytesPerAddress: {
    variable: 'MAX_OPERATION_BYTES_PER_ADDRESS',
    unit: 'bytes',
    // 50,000 subscriptions that share their documents take 40 MB.
    default: 256 * MIB,
    range: [KIB, 64 * GIB],
    meaning:
      'documents, variables and ids that the running operations of one address hold (IPv6: of one /64)',
  },
  // Generous: a limit against floods, not a quota. 60,000 let a viewer with its maximum of 10,000 subscriptions start
  // all of them six times in a minute. 120,000 let an office, or a proxy, with its maximum of 20,000 connections
  // reconnect at once with six operations each.
  maxCostPerViewer: {
    variable: 'MAX_COST_PER_VIEWER',
    unit: 'count',
    default: 60_000,
    range: [0, 1_000_000_000],
    meaning:
      'cost of the operations of one viewer in a minute, over all replicas; an operation costs at least 1; 0: no limit',
  },
  maxCostPerAddress: {
    variable: 'MAX_COST_PER_ADDRESS',
    unit: 'count',
    default: 120_000,
    range: [0, 1_000_000_000],
    meaning:
      'cost of the operations of one address (IPv6: of one /64) in a minute, over all replicas; 0: no limit',
  },
  // Each is held for a round trip by a client that opens its stream, and for 10 s by one that does not.
  maxReservationsPerAddress: {
    variable: 'MAX_RESERVATIONS_PER_ADDRESS',
    unit: 'count',
    default: 1_000,
    range: [1, MANY],
    meaning: 'event streams that one address has reserved and not opened yet, with and without a token each',
  },
  maxReservationsPerViewer: {
    variable: 'MAX_RESERVATIONS_PER_VIEWER',
    unit: 'count',
    default: 100,
    range: [1, MANY],
    meaning: 'event streams that one viewer has reserved and not opened yet',
  },
  maxBodyBytes: {
    variable: 'MAX_BODY_BYTES',
    unit: 'bytes',
    default: 256 * KIB,
    range: [KIB, GIB],
    meaning: 'size of a GraphQL request body over HTTP',
  },
  maxMessageBytes: {
    variable: 'MAX_MESSAGE_BYTES',
    unit: 'bytes',
    default: 256 * KIB,
    range: [KIB, GIB],
    meaning: 'size of a message from a WebSocket client',
  },
  ...operationLimits,
  maxQueuedBytes: {
    variable: 'MAX_QUEUED_BYTES',
    unit: 'bytes',
    default: MIB,
    range: [4 * KIB, GIB],
    meaning: 'size of the outbound queue of one connection; beyond it the client is a slow consumer',
  },
  maxConnectionAgeMs: {
    variable: 'MAX_CONNECTION_AGE_MS',
    unit: 'milliseconds',
    default: 0,
    range: [0, 30 * DAY_MS],
    meaning:
      'age of a live connection, give or take a fifth, at which its client is asked to reconnect; 0: no limit',
  },
  maxTokenAgeMs: {
    variable: 'MAX_TOKEN_AGE_MS',
    unit: 'milliseconds',
    default: jwtRules.maxTokenAgeMs,
    range: [1_000, 3_650 * DAY_MS],
    meaning: 'time after its issue that a token is accepted; a revocation lasts as long',
  },
  clockToleranceMs: {
    variable: 'JWT_CLOCK_TOLERANCE_MS',
    unit: 'milliseconds',
    default: jwtRules.clockToleranceMs,
    range: [0, 10 * MINUTE_MS],
    meaning: "tolerated difference between an identity provider's clock and this one, in whole seconds",
  },
  keysMaxAgeMs: {
    variable: 'JWKS_MAX_AGE_MS',
    unit: 'milliseconds',
    default: 10 * MINUTE_MS,
    range: [1_000, DAY_MS],
    meaning: "age at which an identity provider's keys are fetched again",
  },
  keysMaxStaleMs: {
    variable: 'JWKS_MAX_STALE_MS',
    unit: 'milliseconds',
    default: DAY_MS,
    range: [1_000, 30 * DAY_MS],
    meaning: "age until which an identity provider's keys are used while it cannot be reached",
  },
  keysCooldownMs: {
    variable: 'JWKS_COOLDOWN_MS',
    unit: 'milliseconds',
    default: 10_000,
    range: [0, 10 * MINUTE_MS],
    meaning: 'minimum time between two fetches for tokens that name unknown keys',
  },
  keysTimeoutMs: {
    variable: 'JWKS_TIMEOUT_MS',
    unit: 'milliseconds',
    default: 5_000,
    range: [100, MINUTE_MS],
    meaning: "deadline of a fetch of an identity provider's keys or metadata",
  },
  heartbeatMs: {
    variable: 'HEARTBEAT_MS',
    unit: 'milliseconds',
    default: 15_000,
    range: [100, 10 * MINUTE_MS],
    meaning: 'interval of pings and of the comments on event streams',
  },
  drainWindowMs: {
    variable: 'DRAIN_WINDOW_MS',
    unit: 'milliseconds',
    default: 2_000,
    range: [0, 8_000],
    meaning: 'time over which live connections are closed when the process stops',
  },
  historyBytes: {
    variable: 'HISTORY_BYTES',
    unit: 'bytes',
    default: 64 * MIB,
    range: [0, 64 * GIB],
    meaning: 'memory for the newest changes of all streams; clients that missed no more resume from memory',
  },
  historyMs: {
    variable: 'HISTORY_MS',
    unit: 'milliseconds',
    default: 5 * MINUTE_MS,
    range: [1_000, DAY_MS],
    meaning: 'age at which changes leave that memory; clients that were away longer resume from the log',
  },
  replayBytes: {
    variable: 'REPLAY_BYTES',
    unit: 'bytes',
    default: 64 * MIB,
    range: [0, 64 * GIB],
    meaning: 'memory for replays that several reconnecting clients share',
  },
  fillRecords: {
    variable: 'FILL_RECORDS',
    unit: 'count',
    default: 2_000,
    range: [0, 1_000_000],
    meaning: 'newest records of each partition that are read into the history at start',
  },
} as const satisfies Record<string, Limit>;

export type LimitName = keyof typeof gatewayLimits;

/** A value for each limit, in the unit of its row in `gatewayLimits`. */
export type GatewayLimits = { readonly [Name in LimitName]: number };

const rows = Object.entries(gatewayLimits) as [LimitName, Limit][];

/** Fills in the default of each limit that is not given. */
export function withDefaultLimits(given: Partial<GatewayLimits> = {}): GatewayLimits {
  const defaults = rows.map(([name, row]) => [name, given[name] ?? defaultOf(row)] as const);
  return Object.fromEntries(defaults) as GatewayLimits;
}

/** The environment variables of all limits, for `parseConfig`. */
export const limitSettings = Object.fromEntries(
  rows.map(([, row]) => [row.variable, integer(...row.range, meaningWithUnit(row)).optional()]),
) as { readonly [Name in LimitName as (typeof gatewayLimits)[Name]['variable']]: LimitSetting };

type LimitSetting = ReturnType<ReturnType<typeof integer>['optional']>;

/** Returns the limits that the parsed environment variables set. */
export function limitsFrom(config: Readonly<Record<string, unknown>>): Partial<GatewayLimits> {
  const given = rows.flatMap(([name, { variable }]) => {
    const value = config[variable];
    return value === undefined ? [] : [[name, value as number] as const];
  });
  return Object.fromEntries(given);
}

function defaultOf(row: Limit): number {
  return typeof row.default === 'number' ? row.default : row.default.of();
}

function meaningWithUnit({ meaning, unit }: Limit): string {
  return unit === 'count' ? meaning : `${meaning}, in ${unit}`;
}
