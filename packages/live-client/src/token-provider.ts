/**
 * Resolves with a bearer token, or '' for an anonymous viewer. `refresh` is true when the last token was refused or is
 * about to expire: return a new one.
 */
export type TokenProvider = (options: { refresh: boolean }) => Promise<string>;
