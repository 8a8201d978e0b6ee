/**
 * Rules of admission to a gateway, in the order in which a connection meets them. Each refusal is counted in
 * `tidegate_edge_refusals_total{reason}`. Limits are counted in this process, over all BFFs and transports. A client at
 * a limit is refused the next socket, connection or subscription; its existing ones continue.
 *
 * | reason                     | checked                              | refuses                                           | answer                           |
 * | -------------------------- | ------------------------------------ | ------------------------------------------------- | -------------------------------- |
 * | `sockets-per-address`      | at the TCP connection (socket-limit) | more than `maxSocketsPerAddress` sockets          | closes the socket                |
 * | `origin`                   | at a WebSocket upgrade               | a page that is neither of this host nor listed    | 403                              |
 * | `connections-per-address`  | at an upgrade or a new event stream  | more than `maxConnectionsPerAddress` of an address | 429                              |
 * | `connections-per-viewer`   | once the viewer is known             | more than `maxConnectionsPerViewer` of a viewer   | 4429 or 429                      |
 * | `subscriptions-per-viewer` | at a subscription                    | more than `maxSubscriptionsPerViewer` of a viewer | an error of the operation, or 429 |
 * | `operation-bytes-per-connection` | at an operation | more than `maxOperationBytesPerConnection` of a connection | an error of the operation, or 429 |
 * | `operation-bytes-per-address` | at an operation | more than `maxOperationBytesPerAddress` of an address | an error of the operation, or 429 |
 * | `request-rate`             | at an operation (request-rates)      | more than `maxCostPerViewer`, `maxCostPerAddress` | an error of the operation, or 429 |
 * | `reservations-per-address` | at the reservation of a stream       | more than `maxReservationsPerAddress` unopened    | 429                              |
 * | `reservations-per-viewer`  | at the reservation of a stream       | more than `maxReservationsPerViewer` unopened     | 429                              |
 * | `revoked`                  | at any time                          | a token that was revoked after its verification   | closes with 4401, cuts a stream  |
 *
 * An address is the client's address across trusted proxies, an IPv6 address counts as its /64 (client-address). A
 * viewer is the subject of a token, whatever its role. Connections without a token count for their address alone, and
 * their subscriptions too. The rate of requests is the one rule that is counted over all replicas.
 */
export type Refusal = 'sockets-per-address' | 'origin' | CountedRule | ByteRule | 'request-rate' | 'revoked';

/** Rules that `Admission` counts. */
export type CountedRule = keyof typeof countedRules;

/** Limit and error of each rule that `Admission` counts. */
export const countedRules = {
  'connections-per-address': {
    limit: 'maxConnectionsPerAddress',
    code: 'TOO_MANY_CONNECTIONS',
    message: (max: number) => `At most ${max} connections of an address at a time; close some first.`,
  },
  'connections-per-viewer': {
    limit: 'maxConnectionsPerViewer',
    code: 'TOO_MANY_CONNECTIONS',
    message: (max: number) => `At most ${max} connections of a viewer at a time; close some first.`,
  },
  'subscriptions-per-viewer': {
    limit: 'maxSubscriptionsPerViewer',
    code: 'TOO_MANY_SUBSCRIPTIONS',
    message: (max: number) =>
      `At most ${max} subscriptions of a viewer at a time, over all connections; end some first.`,
  },
  'reservations-per-address': {
    limit: 'maxReservationsPerAddress',
    code: 'RATE_LIMITED',
    message: (max: number) =>
      `At most ${max} unopened event streams of an address at a time; open them first.`,
  },
  'reservations-per-viewer': {
    limit: 'maxReservationsPerViewer',
    code: 'RATE_LIMITED',
    message: (max: number) => `At most ${max} unopened event streams of a viewer at a time; open them first.`,
  },
} as const;

/** Rules by which `Admission` bounds the memory of running operations. */
export type ByteRule = keyof typeof byteRules;

/** Limit and error of each rule in bytes. */
export const byteRules = {
  'operation-bytes-per-connection': {
    limit: 'maxOperationBytesPerConnection',
    code: 'TOO_MANY_SUBSCRIPTIONS',
    message: (max: number) =>
      `The operations of a connection hold at most ${max} bytes of documents and variables; end some first.`,
  },
  'operation-bytes-per-address': {
    limit: 'maxOperationBytesPerAddress',
    code: 'TOO_MANY_SUBSCRIPTIONS',
    message: (max: number) =>
      `The operations of an address hold at most ${max} bytes of documents and variables; end some first.`,
  },
} as const;
