import { TidegateError } from '@tidegate/core';

/** Where a page of a list ends: the sort value and the id of its last item. Not a live cursor. */
export function encodePageCursor(sortValue: string, id: string): string {
  return Buffer.from(JSON.stringify([sortValue, id])).toString('base64url');
}

/** @throws TidegateError BAD_USER_INPUT when it is not one of ours. */
export function decodePageCursor(cursor: string): readonly [sortValue: string, id: string] {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    if (Array.isArray(parsed) && typeof parsed[0] === 'string' && typeof parsed[1] === 'string') {
      return [parsed[0], parsed[1]];
    }
  } catch {
    // Falls through to the one error there is for every way of being wrong.
  }
  throw new TidegateError('BAD_USER_INPUT', '`after` is not the endCursor of a page.', {
    details: { argument: 'after' },
  });
}
