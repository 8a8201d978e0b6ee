import type { SqlFile } from './sql-file.ts';
import { isMemberGone } from './member-id.ts';
import type { StoredTopic } from './topic-store.ts';

export interface Assignment {
  /** Leased to this member now. */
  readonly held: ReadonlySet<number>;
  /** Held, and to be given up for another member. */
  readonly surplus: ReadonlySet<number>;
}

export interface GroupStore {
  checkpoint(group: string, topic: StoredTopic, partition: number): number | undefined;
  /** False, and nothing is written, when the partition is not leased to the member any more. */
  acknowledge(
    group: string,
    topic: StoredTopic,
    partition: number,
    member: string,
    nextOffset: number,
  ): boolean;
  /** Renews the membership, buries the dead, leases what is free and this member's share. */
  coordinate(group: string, topic: StoredTopic, member: string): Assignment;
  release(group: string, topic: StoredTopic, partition: number, member: string): void;
  leave(group: string, topic: StoredTopic, member: string): void;
}

interface MemberRow {
  member: string;
  expires_ms: number;
}

/**
 * Checkpoints and the ownership of partitions. Members of one group, in one process or several on one file, share
 * the partitions by a rule that all compute alike: partition p belongs to member p modulo their number.
 */
export function createGroupStore(file: SqlFile, sessionTimeoutMs: number): GroupStore {
  const readCheckpoint = file.prepare<{ next_offset: number }>(
    'SELECT next_offset FROM checkpoints WHERE group_name = ? AND topic_id = ? AND partition = ?',
  );
  const writeCheckpoint = file.prepare(
    `INSERT INTO checkpoints SELECT ?1, ?2, ?3, ?5
     WHERE EXISTS (SELECT 1 FROM leases WHERE group_name = ?1 AND topic_id = ?2 AND partition = ?3 AND member = ?4)
     ON CONFLICT DO UPDATE SET next_offset = excluded.next_offset`,
  );
  const listMembers = file.prepare<MemberRow>(
    'SELECT member, expires_ms FROM members WHERE group_name = ? AND topic_id = ? ORDER BY member',
  );
  const renew = file.prepare(
    'INSERT INTO members VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET expires_ms = excluded.expires_ms',
  );
  const removeMember = file.prepare(
    'DELETE FROM members WHERE group_name = ? AND topic_id = ? AND member = ?',
  );
  const removeLeases = file.prepare(
    'DELETE FROM leases WHERE group_name = ? AND topic_id = ? AND member = ?',
  );
  const removeLease = file.prepare(
    'DELETE FROM leases WHERE group_name = ? AND topic_id = ? AND partition = ? AND member = ?',
  );
  const takeLease = file.prepare('INSERT INTO leases VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING');
  const listLeases = file.prepare<{ partition: number }>(
    'SELECT partition FROM leases WHERE group_name = ? AND topic_id = ? AND member = ?',
  );

  function remove(group: string, topic: StoredTopic, member: string): void {
    removeMember.run(group, topic.id, member);
    removeLeases.run(group, topic.id, member);
  }

  /** The members alive, this one among them, sorted. */
  function renewAndBury(group: string, topic: StoredTopic, me: string): string[] {
    const nowMs = Date.now();
    const rows = listMembers.all(group, topic.id);
    const mine = rows.find((row) => row.member === me);
    // Not at every heartbeat: a write wakes the pollers of the other processes.
    if (!mine || mine.expires_ms - nowMs < (sessionTimeoutMs * 2) / 3) {
      renew.run(group, topic.id, me, nowMs + sessionTimeoutMs);
    }
    const alive = [me];
    for (const { member, expires_ms } of rows) {
      if (member === me) continue;
      if (expires_ms < nowMs || isMemberGone(member)) remove(group, topic, member);
      else alive.push(member);
    }
    return alive.sort();
  }

  return {
    checkpoint: (group, topic, partition) => readCheckpoint.get(group, topic.id, partition)?.next_offset,
    acknowledge: (group, topic, partition, member, nextOffset) =>
      writeCheckpoint.run(group, topic.id, partition, member, nextOffset).changes > 0,
    coordinate: (group, topic, member) =>
      file.write(() => {
        const members = renewAndBury(group, topic, member);
        const isMine = (partition: number): boolean => members[partition % members.length] === member;
        for (let partition = 0; partition < topic.partitions; partition++) {
          if (isMine(partition)) takeLease.run(group, topic.id, partition, member);
        }
        const held = listLeases.all(group, topic.id, member).map((row) => row.partition);
        return { held: new Set(held), surplus: new Set(held.filter((partition) => !isMine(partition))) };
      }),
    release(group, topic, partition, member) {
      removeLease.run(group, topic.id, partition, member);
    },
    leave(group, topic, member) {
      file.write(() => remove(group, topic, member));
    },
  };
}
