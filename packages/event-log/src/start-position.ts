import type { PartitionEnds, Position, TailStart } from './event-log.ts';
import { positionOutOfRange } from './topic-errors.ts';

/**
 * Returns the position at which a tail starts in one partition.
 *
 * @param offsetAt Finds the first offset at or after a time, `ends.end` when there is none.
 * @throws TidegateError LOG_POSITION_OUT_OF_RANGE when the partition does not hold the given position.
 */
export function startPosition(
  topic: string,
  { partition, start, end }: PartitionEnds,
  from: TailStart,
  offsetAt: (timeMs: number) => number,
): Position {
  const at = (offset: number): Position => ({ topic, partition, offset });
  if (from === 'start') return at(start);
  if (from === 'end') return at(end);
  if ('timeMs' in from) return at(offsetAt(from.timeMs));
  const asked = from.positions.find((one) => one.topic === topic && one.partition === partition);
  if (!asked) return at(end);
  if (asked.offset < start || asked.offset > end) throw positionOutOfRange(asked, { start, end });
  return at(asked.offset);
}
