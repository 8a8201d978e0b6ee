import { TidegateError } from '@tidegate/core';

/** @throws TidegateError BAD_USER_INPUT for an empty list, because an absent one selects every status. */
export function requireStatuses(argument: string, statuses: readonly unknown[] | null | undefined): void {
  if (statuses?.length !== 0) return;
  throw new TidegateError('BAD_USER_INPUT', `\`${argument}\` names no status; leave it out for all.`, {
    details: { argument },
  });
}
