import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';

// A container's successive processes all have pid 1, so the pid alone cannot tell an earlier process's members apart.
const membersOfThisProcess = new Set<string>();

/** Returns an id that names host and process, so that a successor need not wait for a killed member's lease to expire. */
export function createMemberId(): string {
  const member = `${hostname()}:${process.pid}:${randomUUID()}`;
  membersOfThisProcess.add(member);
  return member;
}

export function forgetMember(member: string): void {
  membersOfThisProcess.delete(member);
}

/** True only when the member's process is certainly gone. A member on another host is judged by its lease alone. */
export function isMemberGone(member: string): boolean {
  const [host, pid] = member.split(':');
  if (host !== hostname()) return false;
  if (Number(pid) === process.pid) return !membersOfThisProcess.has(member);
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
