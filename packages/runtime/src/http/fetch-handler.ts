/**
 * Answers a request with a response, in the web's own types: the same handler serves HTTP, is called in process and is
 * tested without a socket. It never rejects: failures are responses too.
 */
export type FetchHandler = (request: Request, peer?: Peer) => Promise<Response>;

/** The other end of a request's connection: the client, or the last proxy before this server. */
export interface Peer {
  /** IP address. Undefined when the connection is closed already, or the request did not come over one. */
  readonly address: string | undefined;
}
