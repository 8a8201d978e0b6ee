import { describe, expect, it } from 'vitest';
import { keptMsOf } from './topic-config.ts';

describe('the time for which a topic keeps every record', () => {
  it.each([
    [{ 'cleanup.policy': 'delete', 'retention.ms': '60000' }, 60_000],
    [{ 'cleanup.policy': 'delete', 'retention.ms': '-1' }, Infinity],
    [{ 'cleanup.policy': 'compact', 'retention.ms': '60000', 'min.compaction.lag.ms': '0' }, 0],
    [
      { 'cleanup.policy': 'compact', 'retention.ms': '60000', 'min.compaction.lag.ms': '86400000' },
      86_400_000,
    ],
    [
      { 'cleanup.policy': 'compact,delete', 'retention.ms': '60000', 'min.compaction.lag.ms': '70000' },
      60_000,
    ],
    [{ 'cleanup.policy': 'delete, compact', 'retention.ms': '-1', 'min.compaction.lag.ms': '5' }, 5],
  ])('%j: %d ms', (config, expected) => {
    expect(keptMsOf(new Map(Object.entries(config)))).toBe(expected);
  });
});
