/** Paths that the shell draws. The build writes them to the manifest: the gateway answers any other path with 404. */
export const pages = ['/', '/new', '/orders', '/orders/:id'] as const;

/** Returns the pattern of a path of `pages`. */
export function pagePattern(page: (typeof pages)[number]): RegExp {
  return new RegExp(`^${page.replaceAll(/:\w+/g, '[^/]+')}$`);
}
