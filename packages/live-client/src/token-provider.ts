/**
 * Resolves with a bearer token, or '' for an anonymous viewer. `refresh` is true when the last token was refused or is
 * about to expire: return a new one. Reject with a LiveClientError `UNAUTHENTICATED` when the viewer has to sign in again; any
 * other rejection is retried after a backoff.
 */
export type TokenProvider = (options: { refresh: boolean }) => Promise<string>;
