import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';

// Which members this very process still runs: a container's processes are all number 1, one after the other.
const living = new Set<string>();

/** Says where the member lives, so that the one that follows a `kill -9` need not wait for its lease to expire. */
export function createMemberId(): string {
  const member = `${hostname()}:${process.pid}:${randomUUID()}`;
  living.add(member);
  return member;
}

export function forgetMember(member: string): void {
  living.delete(member);
}

/** True only when it is certain; a member on another host is judged by its lease alone. */
export function isMemberGone(member: string): boolean {
  const [host, pid] = member.split(':');
  if (host !== hostname()) return false;
  if (Number(pid) === process.pid) return !living.has(member);
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
