import { describe, expect, it } from 'vitest';
import { needsBackends } from './needs-backends.ts';

const files = [
  'packages/core/src/a.test.ts',
  'packages/event-log/src/kafka.int.test.ts',
  'e2e/board/board.test.ts',
];

describe('npm test with arguments', () => {
  it.each([
    [[]],
    [['-t', 'packages/core']],
    [['packages']],
    [['packages/event-log']],
    [['packages/core', 'e2e/board']],
    [['no such file']],
  ])('starts the backends for %j', (args) => expect(needsBackends(args, files)).toBe(true));

  it.each([[['packages/core']], [['packages/core', '-t', 'a title']]])('starts no backend for %j', (args) =>
    expect(needsBackends(args, files)).toBe(false),
  );
});
