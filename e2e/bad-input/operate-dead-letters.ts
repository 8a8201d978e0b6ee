import { startChild, until } from '@tidegate/testing';
import { expect } from 'vitest';

/** A line of `npm run dead-letters -- list --json`. */
interface ListedLetter {
  readonly id: string;
  readonly state: string;
  readonly group: string;
  readonly key: string;
  readonly reason: string;
}

/**
 * Expects that an operator can list, show, redrive and discard the dead letters of `keys` by `npm run dead-letters`, while
 * the platform runs.
 *
 * @param env variables by which the command finds the log.
 */
export async function expectOperable(
  env: Readonly<Record<string, string>>,
  keys: readonly string[],
): Promise<void> {
  const group = 'order-view';
  const own = async (): Promise<ListedLetter[]> => {
    const { lines } = await run(env, ['list', '--all', '--json', '--group', group]);
    return lines.map((line) => JSON.parse(line) as ListedLetter).filter(({ key }) => keys.includes(key));
  };
  const before = await own();
  expect(new Set(before.map(({ state }) => state))).toEqual(new Set(['open']));
  const [first, second] = before;

  const shown = await run(env, ['show', first!.id]);
  expect(shown.lines.join('\n')).toContain(`dl_group: ${group}`);
  expect(shown.lines.join('\n')).toContain(first!.reason.slice(0, 40));

  expect((await run(env, ['redrive', first!.id])).lines).toEqual([`${first!.id} redriven to ${group}`]);
  // Its content is unchanged: its group cannot use it again, and no other group gets it.
  const again = await until(
    async () => (await own()).find(({ id }) => !before.some((old) => old.id === id)),
    {
      what: 'the redriven letter to fail again',
      timeoutMs: 30_000,
    },
  );
  expect(again).toMatchObject({ key: first!.key, reason: first!.reason, state: 'open' });

  expect((await run(env, ['discard', second!.id])).lines).toEqual([`${second!.id} discarded for ${group}`]);
  const states = new Map((await own()).map(({ id, state }) => [id, state]));
  expect([states.get(first!.id), states.get(second!.id)]).toEqual(['redriven', 'discarded']);

  expect((await run(env, ['redrive', '0/999999999'], 2)).lines.join()).toContain('there is no dead letter');
  expect((await run(env, ['redrive'], 2)).lines.join()).toContain('redrive needs ids');
}

async function run(
  env: Readonly<Record<string, string>>,
  args: readonly string[],
  exitCode = 0,
): Promise<{ readonly lines: readonly string[] }> {
  await using child = startChild('scripts/dead-letters.ts', env, { args });
  const { code } = await child.exited;
  expect(code, child.lines.join('\n')).toBe(exitCode);
  return { lines: child.lines };
}
