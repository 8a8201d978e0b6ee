import { isMemberGone } from './member-id.ts';
import type { SqlFile } from './sql-file.ts';
import type { StoredTopic } from './topic-store.ts';

export interface Assignment {
  /** Partitions leased to this member. */
  readonly held: ReadonlySet<number>;
  /** Held partitions that now belong to another member: to be released. */
  readonly surplus: ReadonlySet<number>;
}

interface MemberRow {
  readonly member: string;
  readonly expires_ms: number;
}

function prepareStatements(file: SqlFile) {
  return {
    readCheckpoint: file.prepare<{ next_offset: number }>(
      'SELECT next_offset FROM checkpoints WHERE group_name = ? AND topic_id = ? AND partition = ?',
    ),
    writeCheckpoint: file.prepare(
      `INSERT INTO checkpoints SELECT ?1, ?2, ?3, ?5
       WHERE EXISTS (SELECT 1 FROM leases WHERE group_name = ?1 AND topic_id = ?2 AND partition = ?3 AND member = ?4)
       ON CONFLICT DO UPDATE SET next_offset = excluded.next_offset`,
    ),
    members: file.prepare<MemberRow>(
      'SELECT member, expires_ms FROM members WHERE group_name = ? AND topic_id = ? ORDER BY member',
    ),
    renewMember: file.prepare(
      'INSERT INTO members VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET expires_ms = excluded.expires_ms',
    ),
    removeMember: file.prepare('DELETE FROM members WHERE group_name = ? AND topic_id = ? AND member = ?'),
    removeLeases: file.prepare('DELETE FROM leases WHERE group_name = ? AND topic_id = ? AND member = ?'),
    removeLease: file.prepare(
      'DELETE FROM leases WHERE group_name = ? AND topic_id = ? AND partition = ? AND member = ?',
    ),
    takeLease: file.prepare('INSERT INTO leases VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING'),
    leases: file.prepare<{ partition: number }>(
      'SELECT partition FROM leases WHERE group_name = ? AND topic_id = ? AND member = ?',
    ),
  };
}

/**
 * Checkpoints and leases of consumer groups. All members of a group, in one process or several on one file, compute
 * the same assignment: partition p belongs to member p modulo their number.
 */
export class GroupStore {
  readonly #file: SqlFile;
  readonly #sql: ReturnType<typeof prepareStatements>;
  readonly #sessionTimeoutMs: number;

  constructor(file: SqlFile, sessionTimeoutMs: number) {
    this.#file = file;
    this.#sql = prepareStatements(file);
    this.#sessionTimeoutMs = sessionTimeoutMs;
  }

  /** The next offset to deliver; undefined when the group has acknowledged nothing on the partition. */
  checkpoint(group: string, topic: StoredTopic, partition: number): number | undefined {
    return this.#sql.readCheckpoint.get(group, topic.id, partition)?.next_offset;
  }

  /** Writes the checkpoint. Returns false, and writes nothing, when the partition is not leased to the member. */
  acknowledge(
    group: string,
    topic: StoredTopic,
    partition: number,
    member: string,
    nextOffset: number,
  ): boolean {
    return this.#sql.writeCheckpoint.run(group, topic.id, partition, member, nextOffset).changes > 0;
  }

  /** Renews the member, evicts expired ones and leases the member's share as far as it is free. */
  rebalance(group: string, topic: StoredTopic, member: string): Assignment {
    return this.#file.write(() => {
      const members = this.#renewAndEvict(group, topic, member);
      const isMine = (partition: number): boolean => members[partition % members.length] === member;
      for (let partition = 0; partition < topic.partitions; partition++) {
        if (isMine(partition)) this.#sql.takeLease.run(group, topic.id, partition, member);
      }
      const held = this.#sql.leases.all(group, topic.id, member).map((row) => row.partition);
      return { held: new Set(held), surplus: new Set(held.filter((partition) => !isMine(partition))) };
    });
  }

  release(group: string, topic: StoredTopic, partition: number, member: string): void {
    this.#sql.removeLease.run(group, topic.id, partition, member);
  }

  leave(group: string, topic: StoredTopic, member: string): void {
    this.#file.write(() => this.#remove(group, topic, member));
  }

  /** Returns the live members, `member` among them, sorted. */
  #renewAndEvict(group: string, topic: StoredTopic, member: string): string[] {
    const nowMs = Date.now();
    const rows = this.#sql.members.all(group, topic.id);
    const mine = rows.find((row) => row.member === member);
    // Not at every heartbeat: each write makes the other processes look for records.
    if (!mine || mine.expires_ms - nowMs < (this.#sessionTimeoutMs * 2) / 3) {
      this.#sql.renewMember.run(group, topic.id, member, nowMs + this.#sessionTimeoutMs);
    }
    const live = [member];
    for (const other of rows) {
      if (other.member === member) continue;
      if (other.expires_ms < nowMs || isMemberGone(other.member)) this.#remove(group, topic, other.member);
      else live.push(other.member);
    }
    return live.sort();
  }

  #remove(group: string, topic: StoredTopic, member: string): void {
    this.#sql.removeMember.run(group, topic.id, member);
    this.#sql.removeLeases.run(group, topic.id, member);
  }
}
