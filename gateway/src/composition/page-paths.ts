import { z } from 'zod';

/** Path of a page whose segments are texts or `:names`, which stand for any text. Such as `/items/:id`. */
export const pagePath = z.string().regex(/^\/$|^(\/:?[A-Za-z0-9_-]+)+$/, 'a path such as /items/:id');

/** True when a path is that of one of the pages. Without a list of pages every path is. */
export function isPage(pages: readonly string[] | undefined, pathname: string): boolean {
  return pages?.some((page) => matches(page.split('/'), pathname.split('/'))) ?? true;
}

function matches(page: readonly string[], path: readonly string[]): boolean {
  return (
    page.length === path.length &&
    page.every((segment, at) => (segment.startsWith(':') ? path[at] !== '' : segment === path[at]))
  );
}
