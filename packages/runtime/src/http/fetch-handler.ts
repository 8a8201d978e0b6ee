/**
 * Answers a request with a response, in the web's own types: the same handler serves HTTP, is called in process and is
 * tested without a socket. It never rejects: failures are responses too.
 */
export type FetchHandler = (request: Request) => Promise<Response>;
