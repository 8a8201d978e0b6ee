import { TidegateError } from '@tidegate/core';

/** Encodes the sort value and the id of a page's last item. Not to be confused with the cursor of a live field. */
export function encodePageCursor(sortValue: string, id: string): string {
  return Buffer.from(JSON.stringify([sortValue, id])).toString('base64url');
}

/** @throws TidegateError BAD_USER_INPUT when the cursor was not made by `encodePageCursor`. */
export function decodePageCursor(cursor: string): readonly [sortValue: string, id: string] {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    if (Array.isArray(parsed) && typeof parsed[0] === 'string' && typeof parsed[1] === 'string') {
      return [parsed[0], parsed[1]];
    }
  } catch {
    // Falls through to the same error as a cursor of the wrong shape.
  }
  throw new TidegateError('BAD_USER_INPUT', '`after` is not the endCursor of a page.', {
    details: { argument: 'after' },
  });
}
