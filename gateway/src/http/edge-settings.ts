import { addressRanges, integer, origins } from '@tidegate/runtime/config';
import { MAX_TOKEN_AGE_MS } from '../auth/token-verifier.ts';
import { createClientAddresses } from '../admission/client-address.ts';

const A_DAY_MS = 24 * 60 * 60 * 1000;
const AT_MOST = 10_000_000;

/** What an operator may set of the edge: the same in the production gateway and in the embedded default. */
export const edgeSettings = {
  ALLOWED_ORIGINS: origins('pages of other hosts that may use the gateway').optional(),
  TRUSTED_PROXIES: addressRanges('proxies whose X-Forwarded-For is believed').optional(),
  MAX_SOCKETS_PER_ADDRESS: integer(1, AT_MOST, 'open sockets of one address').optional(),
  MAX_CONNECTIONS_PER_ADDRESS: integer(1, AT_MOST, 'live connections of one address').default(20_000),
  MAX_CONNECTIONS_PER_VIEWER: integer(1, AT_MOST, 'live connections of one viewer').default(1_000),
  MAX_SUBSCRIPTIONS_PER_VIEWER: integer(1, AT_MOST, 'subscriptions of one viewer').default(10_000),
  MAX_CONNECTION_AGE_MS: integer(
    0,
    30 * A_DAY_MS,
    'milliseconds that a live connection lasts, give or take a fifth; 0: as long as it likes',
  ).default(0),
  MAX_TOKEN_AGE_MS: integer(
    1_000,
    3_650 * A_DAY_MS,
    'milliseconds after its issue that a token is taken at most',
  ).default(MAX_TOKEN_AGE_MS),
};

export interface EdgeConfig {
  readonly ALLOWED_ORIGINS?: string[] | undefined;
  readonly TRUSTED_PROXIES?: string[] | undefined;
  readonly MAX_SOCKETS_PER_ADDRESS?: number | undefined;
  readonly MAX_CONNECTIONS_PER_ADDRESS: number;
  readonly MAX_CONNECTIONS_PER_VIEWER: number;
  readonly MAX_SUBSCRIPTIONS_PER_VIEWER: number;
  readonly MAX_CONNECTION_AGE_MS: number;
  readonly MAX_TOKEN_AGE_MS: number;
}

/** The settings as `startEdgeServer`, `createTokenVerifier` and `Gateway` take them. */
export function edgeOptions(config: EdgeConfig) {
  const addresses = createClientAddresses(config.TRUSTED_PROXIES ?? []);
  const { MAX_SOCKETS_PER_ADDRESS: maxSocketsPerAddress, MAX_TOKEN_AGE_MS: maxTokenAgeMs } = config;
  return {
    server: { addresses, ...(maxSocketsPerAddress !== undefined && { maxSocketsPerAddress }) },
    tokens: { maxTokenAgeMs },
    gateway: {
      addresses,
      maxTokenAgeMs,
      allowedOrigins: config.ALLOWED_ORIGINS ?? [],
      limits: {
        maxConnectionsPerAddress: config.MAX_CONNECTIONS_PER_ADDRESS,
        maxConnectionsPerViewer: config.MAX_CONNECTIONS_PER_VIEWER,
        maxSubscriptionsPerViewer: config.MAX_SUBSCRIPTIONS_PER_VIEWER,
        maxConnectionAgeMs: config.MAX_CONNECTION_AGE_MS,
      },
    },
  };
}
