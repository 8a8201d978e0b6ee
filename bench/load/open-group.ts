import type { LoadGroupOptions } from './load-group.ts';
import type { LoadProcess } from './load-process.ts';

/** Opens a group. @throws Error unless every connection is open and no subscription was refused. */
export async function openGroup(load: LoadProcess, name: string, options: LoadGroupOptions): Promise<void> {
  const opened = await load.request('open', { name, options });
  if (opened.open === options.connections && opened.refused === 0) return;
  throw new Error(`${name}: not all are connected and subscribed: ${JSON.stringify(opened)}`);
}

/** Resolves when the group has received `count` messages. @throws Error after the timeout. */
export async function receive(
  load: LoadProcess,
  name: string,
  count: number,
  timeoutMs = 20_000,
): Promise<void> {
  if (await load.request('received', { name, count, timeoutMs })) return;
  const counts = JSON.stringify(await load.request('counts', name));
  throw new Error(`${name}: ${count} messages were to arrive: ${counts}`);
}
