import type { VerifiedViewer } from '../auth/token-verifier.ts';
import type { RequestFacts } from '../graphql/bff-server.ts';

/** Facts that the edge knows about a request or a connection before its operations are read. */
export interface EdgeFacts extends RequestFacts {
  readonly viewer: VerifiedViewer;
  /** Address of the client, across trusted proxies, that limits are counted by. */
  readonly address: string;
}
