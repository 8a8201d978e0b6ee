/**
 * A request in, a response out, by the web's own types: the same handler serves HTTP, is called in process and is
 * tested without a socket. It never rejects: what goes wrong is in the response.
 */
export type FetchHandler = (request: Request) => Promise<Response>;
