import type { VerifiedViewer } from '../auth/token-verifier.ts';
import type { RequestFacts } from '../graphql/bff-server.ts';

/** What the edge found out about a request or a connection: who, in which trace, and from where. */
export interface EdgeFacts extends RequestFacts {
  readonly viewer: VerifiedViewer;
  /** Whom to count it for: the client's address across trusted proxies. */
  readonly address: string;
}
