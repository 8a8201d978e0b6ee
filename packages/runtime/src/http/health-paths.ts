/** Paths that an HTTP server answers by its health handler, before anything else is served and after. */
export const healthPaths: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/metrics']);
